// SPDX-License-Identifier: Apache-2.0
// Function:   the AXI4 port of sdram_controller at a clock of its master's, with the controller at another one
// Latency:    of each channel that of sdram_fifo: 1 cycle of the clock that sends, then 2 to 3 of the other one
// Throughput: a beat per cycle of the slower clock
// Timing:     registers, but for an AND of ready and valid signals at clk_i
// Reset:      rst_ni, for a cycle or longer, resets the controller as well (sdram_rst_no) and forgets what is under
//             way; nothing is taken, and nothing comes, until both sides know of it
// Model:      rtl_tests.bench_sdram.Memory
// The order of the channels stays what it was: a response that has come is that of a write that is over, so a read that
// follows it sees the write. The clocks need not know each other; sdram_clk_i may stop while rst_ni is low.
module sdram_crossing (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic [24:0] s_axi_araddr,
    input  logic [ 7:0] s_axi_arlen,
    input  logic        s_axi_arvalid,
    output logic        s_axi_arready,
    output logic [31:0] s_axi_rdata,
    output logic        s_axi_rlast,
    output logic        s_axi_rvalid,
    input  logic        s_axi_rready,
    input  logic [24:0] s_axi_awaddr,
    input  logic [ 7:0] s_axi_awlen,
    input  logic        s_axi_awvalid,
    output logic        s_axi_awready,
    input  logic [31:0] s_axi_wdata,
    input  logic        s_axi_wlast,
    input  logic        s_axi_wvalid,
    output logic        s_axi_wready,
    output logic        s_axi_bvalid,
    input  logic        s_axi_bready,
    input  logic        sdram_clk_i,
    output logic        sdram_rst_no,
    output logic [24:0] m_axi_araddr,
    output logic [ 7:0] m_axi_arlen,
    output logic        m_axi_arvalid,
    input  logic        m_axi_arready,
    input  logic [31:0] m_axi_rdata,
    input  logic        m_axi_rlast,
    input  logic        m_axi_rvalid,
    output logic        m_axi_rready,
    output logic [24:0] m_axi_awaddr,
    output logic [ 7:0] m_axi_awlen,
    output logic        m_axi_awvalid,
    input  logic        m_axi_awready,
    output logic [31:0] m_axi_wdata,
    output logic        m_axi_wlast,
    output logic        m_axi_wvalid,
    input  logic        m_axi_wready,
    input  logic        m_axi_bvalid,
    output logic        m_axi_bready
);
  localparam int unsigned Addresses = 8, Beats = 16;  // depths

  // A reset is asked for, answered, withdrawn, and that answered, always all four, so both sides are in reset together,
  // however short rst_ni is low and whichever clock is faster. While the answer stands, this side's pointers are 0, and
  // they are at the other side before it leaves its reset; another reset has nothing to forget then. Before it stands,
  // nothing is taken, and nothing comes. All of it is 0 before the first reset, which is one like any other.
  logic ask_q, answer_q, answered;
  (* async_reg = "true", shreg_extract = "no", keep *) logic [1:0] asks_q, answers_q;
  assign answered = answers_q[1];
  assign sdram_rst_no = !answer_q;
  always_ff @(posedge clk_i) begin
    answers_q <= {answers_q[0], answer_q};
    ask_q <= ask_q ? !(rst_ni && answered) : !rst_ni && !answered;
  end
  always_ff @(posedge sdram_clk_i) begin
    asks_q   <= {asks_q[0], ask_q};
    answer_q <= asks_q[1];
  end

  // From the master.
  logic ar_ready, aw_ready, w_ready, r_valid, b_valid;
  assign {s_axi_arready, s_axi_awready, s_axi_wready} = {ar_ready, aw_ready, w_ready} & {3{!ask_q}};
  assign {s_axi_rvalid, s_axi_bvalid} = {r_valid, b_valid} & {2{!ask_q}};

  sdram_fifo #(
      .Width(33),
      .Depth(Addresses)
  ) i_ar (
      .write_clk_i (clk_i),
      .write_rst_ni(!answered),
      .valid_i     (s_axi_arvalid),
      .ready_o     (ar_ready),
      .data_i      ({s_axi_araddr, s_axi_arlen}),
      .read_clk_i  (sdram_clk_i),
      .read_rst_ni (sdram_rst_no),
      .valid_o     (m_axi_arvalid),
      .ready_i     (m_axi_arready),
      .data_o      ({m_axi_araddr, m_axi_arlen})
  );

  sdram_fifo #(
      .Width(33),
      .Depth(Addresses)
  ) i_aw (
      .write_clk_i (clk_i),
      .write_rst_ni(!answered),
      .valid_i     (s_axi_awvalid),
      .ready_o     (aw_ready),
      .data_i      ({s_axi_awaddr, s_axi_awlen}),
      .read_clk_i  (sdram_clk_i),
      .read_rst_ni (sdram_rst_no),
      .valid_o     (m_axi_awvalid),
      .ready_i     (m_axi_awready),
      .data_o      ({m_axi_awaddr, m_axi_awlen})
  );

  sdram_fifo #(
      .Width(33),
      .Depth(Beats)
  ) i_w (
      .write_clk_i (clk_i),
      .write_rst_ni(!answered),
      .valid_i     (s_axi_wvalid),
      .ready_o     (w_ready),
      .data_i      ({s_axi_wlast, s_axi_wdata}),
      .read_clk_i  (sdram_clk_i),
      .read_rst_ni (sdram_rst_no),
      .valid_o     (m_axi_wvalid),
      .ready_i     (m_axi_wready),
      .data_o      ({m_axi_wlast, m_axi_wdata})
  );

  // To it.
  // verilator lint_off UNUSEDSIGNAL
  logic response;  // has no bits
  // verilator lint_on UNUSEDSIGNAL
  sdram_fifo #(
      .Width(33),
      .Depth(Beats)
  ) i_r (
      .write_clk_i (sdram_clk_i),
      .write_rst_ni(sdram_rst_no),
      .valid_i     (m_axi_rvalid),
      .ready_o     (m_axi_rready),
      .data_i      ({m_axi_rlast, m_axi_rdata}),
      .read_clk_i  (clk_i),
      .read_rst_ni (!answered),
      .valid_o     (r_valid),
      .ready_i     (s_axi_rready),
      .data_o      ({s_axi_rlast, s_axi_rdata})
  );

  sdram_fifo #(
      .Depth(Addresses)
  ) i_b (
      .write_clk_i (sdram_clk_i),
      .write_rst_ni(sdram_rst_no),
      .valid_i     (m_axi_bvalid),
      .ready_o     (m_axi_bready),
      .data_i      (1'b0),
      .read_clk_i  (clk_i),
      .read_rst_ni (!answered),
      .valid_o     (b_valid),
      .ready_i     (s_axi_bready),
      .data_o      (response)
  );
endmodule
