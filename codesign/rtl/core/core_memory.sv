// SPDX-License-Identifier: Apache-2.0
// Function:   records of several clients, 1 to 255 beats from an address on, read from and written to one AXI4 memory.
//             A read sees every write of the same start address whose last beat was taken before it
// Latency:    m_axi_arvalid 4 cycles after read_valid_i, m_axi_wvalid 3 after write_valid_i; data_o 1 after its
//             beat
// Throughput: 1 beat per cycle each way; a record every 2 cycles each way, of one client that reads every 3
// Timing:     combinational m_axi_wready -> write_ready_o; all other outputs depend on registers
// Reset:      nothing under way, on either side: the memory has to be reset, too
// Model:      rtl_tests.bench_core_memory.Records
// A read of a record that is being written, or whose write is not answered yet, is not taken; other clients go first
// then. It does not keep a write from overtaking a read of the same record that was taken before. Data are not asked to
// wait. restart_i: the clients were reset. A write record that was begun is ended with whatever comes, data of reads
// are dropped, and nothing is taken until all is answered. silent_o: for Patience cycles nothing has happened on any
// channel though something waits for the memory; error_o: an answer was an error, or a burst ended too late; both stay
// until restart_i. Clients are reset in the cycle after restart_i at the latest.
module core_memory
  import core_pkg::*;
#(
    parameter int unsigned Readers = 4,  // words, lines, rows, load
    parameter int unsigned Writers = 3,  // words, rows, load
    parameter int unsigned ReadsOpen = 8,  // records; distributed RAM of 10 bits each
    parameter int unsigned WritesOpen = 4,  // a power of two; a register and a comparator of an address each
    parameter int unsigned Patience = 65535
) (
    input  logic                                      clk_i,
    input  logic                                      rst_ni,
    input  logic                                      restart_i,
    input  logic [Readers-1:0]                        read_valid_i,
    output logic [Readers-1:0]                        read_ready_o,
    input  logic [Readers-1:0][MemoryAddressBits-1:0] read_address_i,   // in beats
    input  logic [Readers-1:0][                  7:0] read_beats_i,
    output logic [Readers-1:0]                        data_valid_o,     // at most one
    output logic [                    MemoryBits-1:0] data_o,
    output logic                                      data_last_o,      // of its record
    input  logic [Writers-1:0]                        write_valid_i,
    output logic [Writers-1:0]                        write_ready_o,
    input  logic [Writers-1:0][MemoryAddressBits-1:0] write_address_i,  // of the record: stable to its last beat
    input  logic [Writers-1:0][                  7:0] write_beats_i,    // as well
    input  logic [Writers-1:0][       MemoryBits-1:0] write_data_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [Writers-1:0]                        write_last_i,     // an assertion looks at it
    // verilator lint_on UNUSEDSIGNAL
    output logic                                      idle_o,           // nothing is under way
    output logic                                      silent_o,
    output logic                                      error_o,
    output logic [                              31:0] m_axi_araddr,
    output logic [                               7:0] m_axi_arlen,
    output logic [                               2:0] m_axi_arsize,
    output logic [                               1:0] m_axi_arburst,
    output logic                                      m_axi_arvalid,
    input  logic                                      m_axi_arready,
    input  logic [                    MemoryBits-1:0] m_axi_rdata,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [                               1:0] m_axi_rresp,
    input  logic                                      m_axi_rlast,
    input  logic                                      m_axi_rvalid,
    output logic                                      m_axi_rready,
    output logic [                              31:0] m_axi_awaddr,
    output logic [                               7:0] m_axi_awlen,
    output logic [                               2:0] m_axi_awsize,
    output logic [                               1:0] m_axi_awburst,
    output logic                                      m_axi_awvalid,
    input  logic                                      m_axi_awready,
    output logic [                    MemoryBits-1:0] m_axi_wdata,
    output logic [                  MemoryBits/8-1:0] m_axi_wstrb,
    output logic                                      m_axi_wlast,
    output logic                                      m_axi_wvalid,
    input  logic                                      m_axi_wready,
    input  logic [                               1:0] m_axi_bresp,
    // verilator lint_on UNUSEDSIGNAL
    input  logic                                      m_axi_bvalid,
    output logic                                      m_axi_bready
);
  localparam int unsigned ByteBits = $clog2(MemoryBits / 8);
  localparam int unsigned OffsetBits = 12 - ByteBits;  // beats of 4 KiB
  localparam int unsigned ReaderBits = Readers > 1 ? $clog2(Readers) : 1;
  localparam int unsigned WriterBits = Writers > 1 ? $clog2(Writers) : 1;
  localparam int unsigned OpenBits = $clog2(WritesOpen);
  localparam int unsigned TimerBits = $clog2(Patience + 1);
  if (WritesOpen < 2 || 2 ** OpenBits != WritesOpen || ReadsOpen < 2 || Patience < 2) begin : g_bad
    $error("core_memory: WritesOpen is a power of two from 2 on, ReadsOpen and Patience are at least 2");
  end
  typedef logic [MemoryAddressBits-1:0] address_t;

  logic restarting_q, wait_read;
  assign {m_axi_arsize, m_axi_arburst, m_axi_rready} = {3'(ByteBits), 2'b01, 1'b1};
  assign {m_axi_awsize, m_axi_awburst, m_axi_bready} = {3'(ByteBits), 2'b01, 1'b1};
  assign m_axi_wstrb = '1;

  // Records that are written: from their first beat to the last of their answers.
  logic [WritesOpen-1:0] open_q, second_q;  // second: the next answer is that of the first of two bursts
  address_t start_q[WritesOpen];
  logic [OpenBits-1:0] newest_q, oldest_q;

  // Reads: a client is picked, its record compared with those that are written, and taken, or left where it is for
  // another client. A write that begins in between has its last beat no earlier than the read is taken.
  logic picked_q, compared_q, blocked_q, take, others, read_free, tag_free;
  logic [ReaderBits-1:0] reader_q, reader;
  address_t from_q;
  logic [7:0] beats_q;

  always_comb begin
    take = compared_q && !blocked_q && !restarting_q && read_free && tag_free;
    read_ready_o = '0;
    read_ready_o[reader_q] = take;
    // The next one in turn.
    {others, reader} = {1'b0, reader_q};
    for (int unsigned i = Readers - 1; i > 0; i--) begin
      automatic logic [ReaderBits-1:0] other = ReaderBits'((32'(reader_q) + i) % Readers);
      if (read_valid_i[other]) {others, reader} = {1'b1, other};
    end
  end

  always_ff @(posedge clk_i) begin
    compared_q <= picked_q;
    blocked_q  <= 1'b0;
    for (int w = 0; w < int'(WritesOpen); w++) if (open_q[w] && start_q[w] == from_q) blocked_q <= 1'b1;
    if (!picked_q || (compared_q && blocked_q) || take) begin
      compared_q <= 1'b0;
      picked_q <= others || (!picked_q && read_valid_i[reader_q]);
      reader_q <= reader;
      from_q   <= read_address_i[reader];
      beats_q  <= read_beats_i[reader];
    end
    if (!rst_ni || restarting_q) {picked_q, compared_q, reader_q} <= '0;
  end

  core_burst i_read (
      .clk_i,
      .rst_ni,
      .valid_i  (take),
      .ready_o  (read_free),
      .address_i(from_q),
      .beats_i  (beats_q),
      .valid_o  (m_axi_arvalid),
      .ready_i  (m_axi_arready),
      .address_o(m_axi_araddr),
      .length_o (m_axi_arlen)
  );

  // Whose data come, and how many.
  logic data_end;
  logic [ReaderBits-1:0] whose;
  logic [7:0] most, beat_q;
  delta_fifo #(
      .Width(ReaderBits + 8),
      .Depth(ReadsOpen - 1)
  ) i_tags (
      .clk_i,
      .rst_ni,
      .valid_i(take),
      .ready_o(tag_free),
      .data_i ({reader_q, beats_q}),
      .valid_o(wait_read),
      .ready_i(m_axi_rvalid && data_end),
      .data_o ({whose, most})
  );
  assign data_end = beat_q == most;
  always_ff @(posedge clk_i) begin
    data_valid_o <= '0;
    if (m_axi_rvalid) begin
      data_valid_o[whose] <= rst_ni && !restart_i && !restarting_q;
      {data_o, data_last_o} <= {m_axi_rdata, data_end};
      beat_q <= data_end ? 8'd1 : beat_q + 1'b1;
    end
    if (!rst_ni) beat_q <= 8'd1;
  end

  // Writes: the port is a client's from the first to the last beat of a record.
  logic busy_q, grant, given, waits, waits_q, write_free, beat_free, beat;
  logic last_q, page_end_q, full_q;  // the next beat ends its record, its 4 KiB; WritesOpen records are open
  logic [WriterBits-1:0] writer_q, turn, writer;  // writer: whose turn it was a cycle before
  logic [Writers-1:0] mine_q;  // busy_q, and whose the port is
  logic [7:0] left_q;
  logic [OffsetBits-1:0] offset_q;

  assign beat_free = m_axi_wready || !m_axi_wvalid;
  assign given = write_valid_i[writer_q];
  assign beat = busy_q && beat_free && (given || restarting_q);
  always_comb begin
    for (int unsigned w = 0; w < Writers; w++) write_ready_o[w] = mine_q[w] && beat_free && !restarting_q;
    // The next one in turn; the one that has the port only if it has given it back.
    {waits, turn} = {!busy_q && given, writer_q};
    for (int unsigned i = Writers - 1; i > 0; i--) begin
      automatic logic [WriterBits-1:0] other = WriterBits'((32'(writer_q) + i) % Writers);
      if (write_valid_i[other]) {waits, turn} = {1'b1, other};
    end
    grant = waits_q && !(busy_q && !(beat && last_q)) && !restarting_q && write_free && !full_q;
  end
  always_ff @(posedge clk_i) begin
    writer  <= turn;
    waits_q <= rst_ni && waits && !grant && !restarting_q;
  end

  core_burst i_write (
      .clk_i,
      .rst_ni,
      .valid_i  (grant),
      .ready_o  (write_free),
      .address_i(write_address_i[writer]),
      .beats_i  (write_beats_i[writer]),
      .valid_o  (m_axi_awvalid),
      .ready_i  (m_axi_awready),
      .address_o(m_axi_awaddr),
      .length_o (m_axi_awlen)
  );

  always_ff @(posedge clk_i) begin
    if (grant) begin
      writer_q <= writer;
      mine_q   <= Writers'(1) << writer;
      left_q   <= write_beats_i[writer];
      offset_q  <= OffsetBits'(write_address_i[writer]);
      last_q <= write_beats_i[writer] == 8'd1;
      page_end_q <= OffsetBits'(write_address_i[writer]) == '1;
    end else if (beat) begin
      left_q  <= left_q - 1'b1;
      offset_q <= offset_q + 1'b1;
      last_q <= left_q == 8'd2;
      page_end_q <= offset_q == ~OffsetBits'(1);
      if (last_q) mine_q <= '0;
    end
    if (beat) {m_axi_wdata, m_axi_wlast} <= {write_data_i[writer_q], last_q || page_end_q};
    if (!rst_ni) {busy_q, m_axi_wvalid, writer_q, mine_q} <= '0;
    else begin
      busy_q <= grant || (busy_q && !(beat && last_q));
      if (beat_free) m_axi_wvalid <= beat;
    end
  end

  always_ff @(posedge clk_i) begin
    if (grant) begin
      start_q[newest_q+1'b1] <= write_address_i[writer];
      newest_q <= newest_q + 1'b1;
    end
    if (m_axi_bvalid && !second_q[oldest_q]) oldest_q <= oldest_q + 1'b1;
    for (int unsigned w = 0; w < WritesOpen; w++) begin
      if (grant && OpenBits'(w) == newest_q + 1'b1) open_q[w] <= 1'b1;
      else if (m_axi_bvalid && OpenBits'(w) == oldest_q && !second_q[w]) open_q[w] <= 1'b0;
      if (beat && page_end_q && !last_q && OpenBits'(w) == newest_q) second_q[w] <= 1'b1;
      else if (m_axi_bvalid && OpenBits'(w) == oldest_q) second_q[w] <= 1'b0;
    end
    full_q <= open_q[OpenBits'(newest_q+(grant ? 2'd2 : 2'd1))] && !(m_axi_bvalid && !second_q[oldest_q]);
    if (!rst_ni) begin
      {open_q, second_q, full_q} <= '0;
      newest_q <= '1;
      oldest_q <= '0;
    end
  end

  // What the memory does not do.
  logic moves_q, wrong_q;
  logic [TimerBits-1:0] timer_q;
  logic idle;
  assign idle = !wait_read && open_q == '0;
  always_ff @(posedge clk_i) idle_o <= idle && !grant && !take;
  always_ff @(posedge clk_i) begin
    restarting_q <= rst_ni && (restart_i || (restarting_q && !idle));
    moves_q <= (m_axi_arvalid && m_axi_arready) || (m_axi_awvalid && m_axi_awready) || m_axi_rvalid || m_axi_bvalid ||
        beat || !(wait_read || (open_q != '0 && !(busy_q && beat_free)));
    wrong_q <= (m_axi_rvalid && (m_axi_rresp[1] || (data_end && !m_axi_rlast))) || (m_axi_bvalid && m_axi_bresp[1]);
    timer_q <= moves_q ? '0 : timer_q + TimerBits'(timer_q != TimerBits'(Patience));
    if (timer_q == TimerBits'(Patience)) silent_o <= 1'b1;
    if (wrong_q && !restarting_q) error_o <= 1'b1;
    if (!rst_ni || restart_i) {silent_o, error_o, moves_q, wrong_q, timer_q} <= '0;
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axi_wvalid && !m_axi_wready |=> m_axi_wvalid);
  a_payload :
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axi_wvalid && !m_axi_wready |=> $stable(
      {m_axi_wdata, m_axi_wlast}
  ));
  a_read :  // data were asked for
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axi_rvalid |-> wait_read);
  a_answer :
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axi_bvalid |-> open_q[oldest_q]);
  a_last :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      write_valid_i[writer_q] && write_ready_o[writer_q] |-> write_last_i[writer_q] == last_q);
`endif
endmodule
