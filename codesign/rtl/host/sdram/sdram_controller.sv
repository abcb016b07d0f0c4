// SPDX-License-Identifier: Apache-2.0
// Function:   an SDR SDRAM of 32 MB (4 banks, 8192 rows, 512 columns of 16 bits: AS4C16M16, MT48LC16M16, IS42S16160)
//             as a memory on AXI4: byte addresses, 32 bits, INCR bursts of 1 to 256 beats, aligned to 4 bytes, that do
//             not cross 4 KiB; every byte is written; reads are answered in order; every response is OKAY, so RRESP
//             and BRESP do not exist
// Latency:    from the cycle of ARVALID to that of RVALID 13 or 14 cycles if the row is open, 15 or 16 if no row of its
//             bank is, 19 or 20 if another one is (100 MHz, latency 2; see docs/sdram.md)
// Throughput: a beat in 2 cycles
// Timing:     registered at the chip, ready and valid signals from registers
// Reset:      starts the chip anew: what it holds is lost
// Model:      rtl_tests.bench_sdram.Memory
// A read that is accepted after the response to a write sees it: both go through one queue. The address and the data of
// a write may come in any order. See sdram_requests for the one thing that a master may not do.
// PadCycles: from a command here to its being at the chip, and from the chip's data to this, less those of the phase of
// the chip's clock: 2 with sdram_pads_ecp5, 1 with it below 35 MHz (docs/sdram.md).
module sdram_controller #(
    parameter int unsigned ClockMhz = 100,  // rounded up
    parameter int unsigned CasLatency = 2,  // 3 above 100 MHz
    parameter int unsigned StartNs = 200_000,
    parameter int unsigned PadCycles = 2
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    // verilator lint_off UNUSEDSIGNAL
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
    input  logic        s_axi_wlast,    // not looked at: AWLEN says where a burst ends
    // verilator lint_on UNUSEDSIGNAL
    input  logic        s_axi_wvalid,
    output logic        s_axi_wready,
    output logic        s_axi_bvalid,
    input  logic        s_axi_bready,
    output logic        ras_o,
    output logic        cas_o,
    output logic        we_o,
    output logic [ 1:0] ba_o,
    output logic [12:0] a_o,
    output logic        dqm_o,
    output logic [15:0] dq_o,
    output logic        dq_oe_o,
    input  logic [15:0] dq_i
);
  localparam int unsigned Depth = 16;  // of both FIFOs, in beats
  localparam int unsigned ReadCycles = CasLatency + PadCycles + 1;  // from a command to its second word

  logic valid, ready, write, last, written, read, read_last, write_valid, write_ready;
  logic [1:0] bank;
  logic [12:0] row;
  logic [7:0] beat, more;
  logic [31:0] write_data;
  logic [3:0] responses_q;  // to writes
  logic [4:0] room_q;  // for beats that are read
  // verilator lint_off UNUSEDSIGNAL
  logic read_ready;  // it is, as room_q says
  // verilator lint_on UNUSEDSIGNAL

  sdram_requests i_requests (
      .clk_i,
      .rst_ni,
      .s_axi_araddr (s_axi_araddr[24:2]),
      .s_axi_arlen,
      .s_axi_arvalid,
      .s_axi_arready,
      .s_axi_awaddr (s_axi_awaddr[24:2]),
      .s_axi_awlen,
      .s_axi_awvalid,
      .s_axi_awready,
      .beat_i       (s_axi_wvalid && s_axi_wready),
      .room_i       (!responses_q[3]),
      .valid_o      (valid),
      .ready_i      (ready),
      .write_o      (write),
      .last_o       (last),
      .bank_o       (bank),
      .row_o        (row),
      .beat_o       (beat),
      .more_o       (more)
  );

  delta_fifo #(
      .Width(32),
      .Depth(Depth)
  ) i_writes (
      .clk_i,
      .rst_ni,
      .valid_i(s_axi_wvalid),
      .ready_o(s_axi_wready),
      .data_i (s_axi_wdata),
      .valid_o(write_valid),
      .ready_i(write_ready),
      .data_o (write_data)
  );

  sdram_commands #(
      .ClockMhz(ClockMhz),
      .CasLatency(CasLatency),
      .StartNs(StartNs)
  ) i_commands (
      .clk_i,
      .rst_ni,
      .valid_i      (valid),
      .ready_o      (ready),
      .write_i      (write),
      .last_i       (last),
      .bank_i       (bank),
      .row_i        (row),
      .beat_i       (beat),
      .more_i       (more),
      .write_valid_i(write_valid),
      .write_ready_o(write_ready),
      .write_data_i (write_data),
      .written_o    (written),
      .read_room_i  (room_q > 5'd1),
      .read_o       (read),
      .read_last_o  (read_last),
      .ras_o,
      .cas_o,
      .we_o,
      .ba_o,
      .a_o,
      .dqm_o,
      .dq_o,
      .dq_oe_o
  );

  // Responses to writes. Up to 3 writes are under way beyond those that there is room for.
  assign s_axi_bvalid = responses_q != '0;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) responses_q <= '0;
    else responses_q <= responses_q + 4'(written) - 4'(s_axi_bvalid && s_axi_bready);
  end

  // Beats that are read: asked for only if there is room for them; a column command that room_q does not count yet may
  // be under way.
  logic [ReadCycles-1:0] reads_q, lasts_q;
  logic [15:0] low_q;
  always_ff @(posedge clk_i) begin
    low_q   <= dq_i;
    lasts_q <= {lasts_q[ReadCycles-2:0], read_last};
    if (!rst_ni) begin
      reads_q <= '0;
      room_q  <= 5'(Depth + 1);
    end else begin
      reads_q <= {reads_q[ReadCycles-2:0], read};
      room_q  <= room_q - 5'(read) + 5'(s_axi_rvalid && s_axi_rready);
    end
  end

  delta_fifo #(
      .Width(33),
      .Depth(Depth)
  ) i_reads (
      .clk_i,
      .rst_ni,
      .valid_i(reads_q[ReadCycles-1]),
      .ready_o(read_ready),
      .data_i ({lasts_q[ReadCycles-1], dq_i, low_q}),
      .valid_o(s_axi_rvalid),
      .ready_i(s_axi_rready),
      .data_o ({s_axi_rlast, s_axi_rdata})
  );

`ifndef SYNTHESIS
  a_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) reads_q[ReadCycles-1] |-> read_ready);
  a_responses :
  assert property (@(posedge clk_i) disable iff (!rst_ni) &responses_q |-> !written);
`endif
endmodule
