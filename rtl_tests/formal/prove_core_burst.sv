// SPDX-License-Identifier: Apache-2.0
// core_burst: the model has the records that were taken, of each the beats that have not left.
module prove_core_burst
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic [MemoryAddressBits-1:0] address_i,
    input logic [7:0] beats_i,
    input logic ready_i
);
  localparam int unsigned Bytes = MemoryBits / 8;
  localparam int unsigned PageBeats = 4096 / Bytes;
  typedef struct packed {
    logic [31:0] address;  // of its next beat, in beats
    logic [7:0]  left;
  } record_t;
  logic ready, valid, take, leave, stalled_q, ends;
  logic [31:0] address, address_q, beats;
  logic [7:0] length, length_q;

  assume_reset i_reset (.*);
  core_burst dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o  (ready),
      .address_i,
      .beats_i,
      .valid_o  (valid),
      .ready_i,
      .address_o(address),
      .length_o (length)
  );

  function automatic logic lies(input record_t record);
    lies = record.left != 0 && (33'd1 << MemoryAddressBits) >= 33'(record.address) + 33'(record.left);
  endfunction
  record_t [1:0] records_q;  // the oldest first
  record_t [1:0] rest;
  logic [1:0] count_q, kept;
  logic late_q;
  assign take  = valid_i && ready;
  assign leave = valid && ready_i;
  assign beats = 32'(length) + 1;
  assign ends  = beats == 32'(records_q[0].left);
  always_comb begin
    rest = records_q;
    kept = count_q;
    if (leave && ends) begin
      rest[0] = records_q[1];
      kept = count_q - 1'b1;
    end else if (leave) begin
      rest[0] = '{address: records_q[0].address + beats, left: records_q[0].left - 8'(beats)};
    end
  end

  always_ff @(posedge clk_i) begin
    {address_q, length_q} <= {address, length};
    m_record : assume (lies({32'(address_i), beats_i}));
    if (!rst_ni) {count_q, stalled_q, late_q} <= '0;
    else begin
      records_q <= rest;
      if (take) records_q[kept[0]] <= '{address: 32'(address_i), left: beats_i};
      count_q   <= kept + 2'(take);
      stalled_q <= valid && !ready_i;
      late_q    <= count_q != 0 && !valid;

      a_beats : assert (!valid || (count_q != 0 && address == records_q[0].address * Bytes &&
                        beats <= 32'(records_q[0].left)));
      a_page : assert (!valid || 32'(address[11:0]) + beats * Bytes <= 4096);
      a_whole : assert (!valid || ends || (records_q[0].address + beats) % PageBeats == 0);
      a_stable : assert (!stalled_q || (valid && address == address_q && length == length_q));
      a_progress : assert (count_q == 0 || valid || !late_q);
      a_room : assert (ready == (count_q == 2'(valid && ends)));
      i_inside : assert ((count_q == 0 || lies(records_q[0])) && (count_q < 2 || lies(records_q[1])));
      i_behind : assert (count_q < 2 || (valid && ends));
      i_count : assert (count_q <= 2);
      c_crosses : cover (stalled_q && leave && !ends);
      c_second : cover (leave && ends && address[11:0] == 0 && take);
    end
  end

  // The record in the leaf's register: it has not begun, or its first burst is offered.
  logic [31:0] waits;
  record_t [1:0] expected;
  assign waits = 32'({dut.page_q, dut.offset_q});
  always_comb begin
    expected = records_q;
    if (valid && !ends) expected[0] = '{address: records_q[0].address + beats, left: records_q[0].left - 8'(beats)};
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      i_register : assert (ready || (expected[count_q[1]] == {waits, dut.beats_q}));
      i_late : assert (!late_q || valid || count_q == 0);
    end
  end
endmodule
