// SPDX-License-Identifier: Apache-2.0
// core_memory: clients that offer records and keep them, a memory that answers when it likes, in order. The model has
// the records that are read, of each its client and beats, and those that are written, of each its address, whether its
// last beat was taken, and how many answers are still to come.
module prove_core_memory
  import core_pkg::*;
#(
    parameter int unsigned Readers = 2,
    parameter int unsigned Writers = 2,
    parameter int unsigned ReadsOpen = 2,
    parameter int unsigned WritesOpen = 2,
    parameter int unsigned Patience = 3
) (
    input logic clk_i,
    input logic rst_ni,
    input logic restart_i,
    input logic [Readers-1:0] read_valid_i,
    input logic [Readers-1:0][MemoryAddressBits-1:0] read_address_i,
    input logic [Readers-1:0][7:0] read_beats_i,
    input logic [Writers-1:0] write_valid_i,
    input logic [Writers-1:0][MemoryAddressBits-1:0] write_address_i,
    input logic [Writers-1:0][7:0] write_beats_i,
    input logic [Writers-1:0][MemoryBits-1:0] write_data_i,
    input logic m_axi_arready,
    input logic [MemoryBits-1:0] m_axi_rdata,
    input logic [1:0] m_axi_rresp,
    input logic m_axi_rlast,
    input logic m_axi_rvalid,
    input logic m_axi_awready,
    input logic m_axi_wready,
    input logic [1:0] m_axi_bresp,
    input logic m_axi_bvalid,
    input logic [7:0] some_reader_i
);
  localparam int unsigned PageBits = 12 - $clog2(MemoryBits / 8);
  localparam int unsigned ReaderBits = Readers > 1 ? $clog2(Readers) : 1;
  localparam int unsigned WriterBits = Writers > 1 ? $clog2(Writers) : 1;
  typedef logic [MemoryAddressBits-1:0] address_t;
  typedef logic [$clog2(WritesOpen)-1:0] place_t;
  typedef struct packed {
    logic [ReaderBits-1:0] reader;
    logic [7:0] beats;
  } read_t;
  typedef struct packed {
    address_t address;
    logic whole;  // its last beat was taken
    logic [1:0] answers;  // to come
  } write_t;
  logic [Readers-1:0] read_ready, data_valid;
  logic [MemoryBits-1:0] data, wdata;
  logic data_last, idle, silent, error, arvalid, rready, awvalid, wlast, wvalid, bready;
  logic [Writers-1:0] write_ready, write_last;
  logic [31:0] araddr, awaddr;
  logic [7:0] arlen, awlen;
  logic [2:0] arsize, awsize;
  logic [1:0] arburst, awburst;
  logic [MemoryBits/8-1:0] wstrb;

  assume_reset i_reset (.*);
  core_memory #(
      .Readers   (Readers),
      .Writers   (Writers),
      .ReadsOpen (ReadsOpen),
      .WritesOpen(WritesOpen),
      .Patience  (Patience)
  ) dut (
      .clk_i,
      .rst_ni,
      .restart_i,
      .read_valid_i,
      .read_ready_o (read_ready),
      .read_address_i,
      .read_beats_i,
      .data_valid_o (data_valid),
      .data_o       (data),
      .data_last_o  (data_last),
      .write_valid_i,
      .write_ready_o(write_ready),
      .write_address_i,
      .write_beats_i,
      .write_data_i,
      .write_last_i (write_last),
      .idle_o       (idle),
      .silent_o     (silent),
      .error_o      (error),
      .m_axi_araddr (araddr),
      .m_axi_arlen  (arlen),
      .m_axi_arsize (arsize),
      .m_axi_arburst(arburst),
      .m_axi_arvalid(arvalid),
      .m_axi_arready,
      .m_axi_rdata,
      .m_axi_rresp,
      .m_axi_rlast,
      .m_axi_rvalid,
      .m_axi_rready (rready),
      .m_axi_awaddr (awaddr),
      .m_axi_awlen  (awlen),
      .m_axi_awsize (awsize),
      .m_axi_awburst(awburst),
      .m_axi_awvalid(awvalid),
      .m_axi_awready,
      .m_axi_wdata  (wdata),
      .m_axi_wstrb  (wstrb),
      .m_axi_wlast  (wlast),
      .m_axi_wvalid (wvalid),
      .m_axi_wready,
      .m_axi_bresp,
      .m_axi_bvalid,
      .m_axi_bready (bready)
  );

  logic restarting_q;  // what was under way is not answered yet

  // Reads: the records that are open, the oldest first, and the beat of it that comes.
  read_t [ReadsOpen-1:0] reads_q, reads, reads_in;
  logic [7:0] read_count_q, read_rest, beat_q;
  logic take, read_ends;
  logic [ReaderBits-1:0] taker;
  assign take = (read_ready & read_valid_i) != 0;
  assign read_ends = m_axi_rvalid && beat_q == reads_q[0].beats;
  assign read_rest = read_count_q - 8'(read_ends);
  always_comb begin
    taker = '0;
    for (int unsigned r = 0; r < Readers; r++) if (read_ready[r]) taker = ReaderBits'(r);
    reads = read_ends ? reads_q >> $bits(read_t) : reads_q;
    if (take) reads[read_rest] = '{reader: taker, beats: read_beats_i[taker]};
  end

  // Writes: the records that are open, the oldest first; the newest one has the port until its last beat was taken.
  write_t [WritesOpen-1:0] writes_q, writes;
  logic [7:0] write_count_q, write_rest, left_q, sent_q;  // left: beats; sent: bursts without an answer
  logic begins, beat, last, page_end, write_ends, open_here;
  logic [WriterBits-1:0] writer_q, begins_with, beat_of;
  address_t next_q;
  logic [31:0] pages;
  assign begins = dut.grant;
  assign begins_with = dut.writer;
  assign last = left_q == 1;
  assign page_end = next_q[PageBits-1:0] == '1;
  assign write_ends = m_axi_bvalid && writes_q[0].answers == 1;
  assign write_rest = write_count_q - 8'(write_ends);
  assign pages = 32'(write_address_i[begins_with][PageBits-1:0]) + 32'(write_beats_i[begins_with]);
  always_comb begin
    beat_of = '0;
    for (int unsigned w = 0; w < Writers; w++) begin
      write_last[w] = left_q == 1;
      if (write_ready[w]) beat_of = WriterBits'(w);
    end
    writes = writes_q;
    if (beat && last) writes[write_count_q-1'b1].whole = 1'b1;
    if (m_axi_bvalid) writes[0].answers = writes_q[0].answers - 1'b1;
    if (write_ends) writes = writes >> $bits(write_t);
    if (begins) begin
      writes[write_rest] = '{
          address: write_address_i[begins_with],
          whole: 1'b0,
          answers: pages > 2 ** PageBits ? 2'd2 : 2'd1
      };
    end
    open_here = 1'b0;
    for (int unsigned w = 0; w < WritesOpen; w++) begin
      if (8'(w) < write_count_q && writes_q[w].whole && writes_q[w].address == read_address_i[taker]) open_here = 1'b1;
    end
  end
  // A beat: a client's, or, of a record that broke off in a restart, any.
  assign beat = (write_ready & write_valid_i) != 0 || (left_q != 0 && restarting_q && (m_axi_wready || !wvalid));

  // What happened in the cycle before.
  logic restart_q, data_q, data_end_q, beat_taken_q, wlast_q, wstalled_q, nothing_q, bad_q;
  logic silent_q, error_q;
  logic [7:0] waiting_q, waiting_q2;
  logic [ReaderBits-1:0] reader_q;
  logic [MemoryBits-1:0] rdata_q, wdata_q, wdata_q2;
  logic wlast_q2, nothing, moves, waits, bad;
  assign nothing = read_count_q == 0 && write_count_q == 0;
  assign moves = (arvalid && m_axi_arready) || (awvalid && m_axi_awready) || m_axi_rvalid || m_axi_bvalid || beat;
  assign waits = read_count_q != 0 || (write_count_q != 0 && !(left_q != 0 && (m_axi_wready || !wvalid)));
  assign bad = (m_axi_rvalid && (m_axi_rresp[1] || (read_ends && !m_axi_rlast))) || (m_axi_bvalid && m_axi_bresp[1]);

  // A reader that may be taken, any one; a port that may be given.
  logic past_q = 1'b0;
  logic wanted, wanted_q, idle_port, idle_port_q;
  logic [7:0] late_q, passed_q;
  logic [ReaderBits-1:0] some_q;
  always_comb begin
    wanted = read_valid_i[some_q] && !restarting_q;
    for (int unsigned w = 0; w < WritesOpen; w++) begin
      if (8'(w) < write_count_q && writes_q[w].address == read_address_i[some_q]) wanted = 1'b0;
    end
    idle_port = write_valid_i != 0 && left_q == 0 && 32'(write_count_q) < WritesOpen && dut.i_write.ready_o &&
        !restarting_q;
  end

  logic [Readers-1:0] offered_q;
  logic [Readers-1:0][MemoryAddressBits+7:0] record_q;
  logic [Writers-1:0] written_q, holds_q;
  logic [Writers-1:0][MemoryAddressBits+7:0] target_q;
  for (genvar r = 0; r < int'(Readers); r++) begin : g_reader
    always_ff @(posedge clk_i) begin
      m_read : assume (!offered_q[r] || (read_valid_i[r] && {read_address_i[r], read_beats_i[r]} == record_q[r]));
      m_beats : assume (!read_valid_i[r] || read_beats_i[r] != 0);
      offered_q[r] <= rst_ni && read_valid_i[r] && !read_ready[r] && !restart_i && !restart_q;
      record_q[r] <= {read_address_i[r], read_beats_i[r]};
    end
  end
  for (genvar w = 0; w < int'(Writers); w++) begin : g_writer
    always_ff @(posedge clk_i) begin
      m_write : assume (!written_q[w] || write_valid_i[w]);
      m_target : assume (!holds_q[w] || {write_address_i[w], write_beats_i[w]} == target_q[w]);
      m_write_beats : assume (!write_valid_i[w] || write_beats_i[w] != 0);
      written_q[w] <= rst_ni && write_valid_i[w] && !write_ready[w] && !restart_i && !restart_q;
      holds_q[w] <= rst_ni && !restart_i && !restart_q && (write_valid_i[w] || holds_q[w]) &&
          !(write_valid_i[w] && write_ready[w] && last);
      target_q[w] <= {write_address_i[w], write_beats_i[w]};
    end
  end
  always_ff @(posedge clk_i) begin
    m_data : assume (!m_axi_rvalid || read_count_q != 0);
    m_answer : assume (!m_axi_bvalid || sent_q != 0);
    restart_q <= rst_ni && restart_i;

    {rdata_q, reader_q, data_end_q} <= {m_axi_rdata, reads_q[0].reader, read_ends};
    {wdata_q, wlast_q} <= {write_data_i[restarting_q ? writer_q : beat_of], last || page_end};
    {wdata_q2, wlast_q2} <= {wdata, wlast};
    if (!rst_ni) begin
      {read_count_q, write_count_q, left_q, sent_q, data_q, beat_taken_q, wstalled_q, restarting_q} <= '0;
      beat_q <= 8'd1;
      nothing_q <= 1'b0;
    end else begin
      reads_q <= reads;
      read_count_q <= read_rest + 8'(take);
      if (m_axi_rvalid) beat_q <= read_ends ? 8'd1 : beat_q + 1'b1;
      data_q <= m_axi_rvalid && !restart_i && !restarting_q;
      writes_q <= writes;
      write_count_q <= write_rest + 8'(begins);
      if (begins) {writer_q, left_q, next_q} <= {begins_with, write_beats_i[begins_with], write_address_i[begins_with]};
      else if (beat) {left_q, next_q} <= {left_q - 1'b1, next_q + 1'b1};
      sent_q <= sent_q + 8'(wvalid && m_axi_wready && wlast) - 8'(m_axi_bvalid);
      beat_taken_q <= beat;
      wstalled_q <= wvalid && !m_axi_wready;
      restarting_q <= restart_i || (restarting_q && !nothing);
      nothing_q <= nothing && !take && !begins;

      a_taken : assert ($onehot0(read_ready & read_valid_i) && dut.i_read.valid_i == take &&
                        (!take || (dut.i_read.ready_o && {dut.i_read.address_i, dut.i_read.beats_i} ==
                         {read_address_i[taker], read_beats_i[taker]})));
      a_fresh : assert (!take || !open_here);
      a_reads_open : assert (32'(read_count_q) <= ReadsOpen);
      a_data : assert (data_valid == (data_q ? Readers'(1) << reader_q : '0) &&
                       (!data_q || (data == rdata_q && data_last == data_end_q)));
      a_granted : assert (!begins || (write_valid_i[begins_with] && (left_q == 0 || (beat && last)) &&
                          dut.i_write.ready_o && dut.i_write.valid_i && {dut.i_write.address_i, dut.i_write.beats_i} ==
                          {write_address_i[begins_with], write_beats_i[begins_with]}));
      a_writes_open : assert (32'(write_count_q) <= WritesOpen);
      a_port : assert (write_ready == (left_q != 0 && !restarting_q && (m_axi_wready || !wvalid) ?
                       Writers'(1) << writer_q : '0));
      a_beat : assert (wstalled_q ? wvalid && {wdata, wlast} == {wdata_q2, wlast_q2} && !beat_taken_q :
                       wvalid == beat_taken_q && (!wvalid || {wdata, wlast} == {wdata_q, wlast_q}));
      a_restart : assert (!restarting_q || ((read_ready & read_valid_i) == 0 && write_ready == 0 && !begins));
      a_idle : assert (nothing ? idle || !nothing_q : !idle);
      a_silent : assert (silent == silent_q);
      a_error : assert (error == error_q);
      a_reads_move : assert (32'(late_q) <= 2 * Readers + 1);
      a_in_turn : assert (32'(passed_q) < Readers);
      a_writes_move : assert (!idle_port_q || !idle_port || begins);
      c_in_the_way : cover (dut.compared_q && dut.blocked_q && wvalid && !m_axi_wready);
      c_two_bursts : cover (m_axi_bvalid && writes_q[0].answers == 2);
      c_restarted : cover (restarting_q && restart_q == 0 && m_axi_bvalid && m_axi_rvalid && nothing_q == 0);
      c_full : cover (32'(read_count_q) == ReadsOpen && 32'(write_count_q) == WritesOpen && data_q && beat);
    end

    // Silence: cycles in a row in which something waits for the memory and nothing happens.
    waiting_q2 <= waiting_q;
    if (!rst_ni || restart_i) begin
      {silent_q, error_q, bad_q, waiting_q2} <= '0;
      waiting_q <= 8'd1;
    end else begin
      waiting_q <= moves || !waits ? '0 : waiting_q + 8'(32'(waiting_q) < Patience);
      if (32'(waiting_q2) == Patience) silent_q <= 1'b1;
      bad_q <= bad;
      if (bad_q && !restarting_q) error_q <= 1'b1;
    end
    // Progress: a reader that may be taken; the port.
    if (!past_q) some_q <= ReaderBits'(some_reader_i);
    past_q <= 1'b1;
    m_some : assume (!past_q || 32'(some_q) < Readers);
    if (!rst_ni || restart_i) {late_q, passed_q, idle_port_q, wanted_q} <= '0;
    else begin
      wanted_q <= wanted && !(take && taker == some_q);
      late_q <= wanted && dut.tag_free && dut.i_read.ready_o && !take ? late_q + 1'b1 : '0;
      passed_q <= wanted && !(take && taker == some_q) ? passed_q + 8'(take) : '0;
      idle_port_q <= idle_port && !begins;
    end
  end

  // What the leaf has is what the model has.
  logic tags_right, writes_right, blocks;
  logic [7:0] answers;
  logic [31:0] away;  // turns until that of the reader that is looked at
  assign away = (Readers + 32'(some_q) - 32'(dut.reader_q)) % Readers;
  logic crosses;  // the record that has the port has 4 KiB to end
  assign crosses = 32'(next_q[PageBits-1:0]) + 32'(left_q) > 2 ** PageBits;
  always_comb begin
    tags_right = 8'(dut.i_tags.count_q) + 8'(dut.wait_read) == read_count_q && dut.wait_read == (read_count_q != 0) &&
        (!dut.wait_read || {dut.whose, dut.most} == reads_q[0]);
    for (int unsigned k = 0; k + 1 < ReadsOpen; k++) begin
      if (k < 32'(dut.i_tags.count_q) &&
          dut.i_tags.memory[(32'(dut.i_tags.read_q)+k)%(ReadsOpen-1)] != reads_q[k+1]) begin
        tags_right = 1'b0;
      end
    end
    for (int unsigned k = 0; k < ReadsOpen; k++) begin
      if (8'(k) < read_count_q && reads_q[k].beats == 0) tags_right = 1'b0;
    end
    {writes_right, blocks, answers} = {1'b1, 1'b0, 8'd0};
    for (int unsigned k = 0; k < WritesOpen; k++) begin
      automatic place_t place = dut.oldest_q + place_t'(k);
      automatic logic newest = 8'(k) + 1 == write_count_q && left_q != 0;
      if (dut.open_q[place] != (8'(k) < write_count_q)) writes_right = 1'b0;
      if (8'(k) < write_count_q) begin
        answers += 8'(writes_q[k].answers);
        if (dut.start_q[place] != writes_q[k].address || writes_q[k].whole == newest) writes_right = 1'b0;
        if (!(writes_q[k].answers inside {2'd1, 2'd2})) writes_right = 1'b0;
        if (dut.second_q[place] != (writes_q[k].answers == 2 && !(newest && crosses))) writes_right = 1'b0;
        if (newest && crosses && writes_q[k].answers != 2) writes_right = 1'b0;
        if (writes_q[k].whole && writes_q[k].address == dut.from_q) blocks = 1'b1;
      end else if (dut.second_q[place]) writes_right = 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      i_tags : assert (tags_right && 32'(dut.i_tags.count_q) < ReadsOpen && 32'(dut.i_tags.read_q) + 1 < ReadsOpen &&
                       32'(dut.i_tags.write_q) == (32'(dut.i_tags.read_q) + 32'(dut.i_tags.count_q)) %
                       (ReadsOpen - 1) &&
                       dut.i_tags.empty_q == (dut.i_tags.count_q == 0) &&
                       dut.i_tags.ready_o == (32'(dut.i_tags.count_q) != ReadsOpen - 1));
      i_beat : assert (dut.beat_q == beat_q && beat_q != 0 &&
                       (read_count_q == 0 ? beat_q == 1 : beat_q <= reads_q[0].beats));
      i_picked : assert ((!dut.compared_q || dut.picked_q) && (!dut.picked_q || restarting_q ||
                         (offered_q[dut.reader_q] && record_q[dut.reader_q] == {dut.from_q, dut.beats_q})));
      i_reader : assert (32'(dut.reader_q) < Readers);
      i_blocked : assert (!dut.compared_q || dut.blocked_q || !blocks);
      i_restarting : assert (dut.restarting_q == restarting_q && (restarting_q || !restart_q));
      i_writes : assert (writes_right && (left_q == 0 || write_count_q != 0) && 32'(write_count_q) <= WritesOpen);
      i_answers : assert (answers == sent_q + 8'(wvalid && wlast) + (left_q != 0 ? 8'd1 + 8'(crosses) : 8'd0) &&
                          32'(sent_q) <= 2 * WritesOpen);
      i_newest : assert (dut.newest_q == place_t'(dut.oldest_q + place_t'(write_count_q) - 1'b1) &&
                         dut.full_q == (32'(write_count_q) == WritesOpen));
      i_port : assert (dut.busy_q == (left_q != 0) && dut.mine_q == (left_q != 0 ? Writers'(1) << writer_q : '0) &&
                       32'(dut.writer_q) < Writers && (!dut.waits_q || 32'(dut.writer) < Writers) && (left_q == 0 ||
                       (dut.writer_q == writer_q && dut.left_q == left_q && dut.last_q == last &&
                        dut.offset_q == next_q[PageBits-1:0] && dut.page_end_q == page_end)));
      i_waits : assert (!dut.waits_q || restarting_q || (written_q[dut.writer] &&
                        (left_q == 0 || dut.writer != writer_q)));
      i_idle_port : assert (!idle_port_q || restarting_q || dut.waits_q);
      i_turn : assert (!wanted_q || restarting_q || (offered_q[some_q] && (dut.picked_q ?
                       32'(passed_q) + away < Readers &&
                       32'(late_q) + 2 * away + 32'(!dut.compared_q) <= 2 * Readers + 1 &&
                       (away != 0 || !dut.compared_q || !dut.blocked_q) : late_q <= 1 && passed_q == 0 && away == 0)));
      i_wanted : assert (wanted_q || (late_q == 0 && passed_q == 0));
      i_wrong : assert (dut.wrong_q == bad_q && dut.moves_q == (waiting_q == 0) &&
                        32'(dut.timer_q) == 32'(waiting_q2) && 32'(waiting_q2) <= Patience &&
                        (waiting_q == 0 || waiting_q == waiting_q2 + 8'(32'(waiting_q2) < Patience)));
    end
  end
endmodule
