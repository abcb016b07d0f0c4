// SPDX-License-Identifier: Apache-2.0
// core_receive, and a memory that answers in order: requests that were taken, each with a record of 1 to Beats beats
// when it likes. Of the records that leave one beat is looked at, any one, of all that have it.
module prove_core_receive
  import core_pkg::*;
#(
    parameter int unsigned Records = 2,
    parameter int unsigned Beats = 2,
    parameter int unsigned Width = 64,
    localparam int unsigned CountBits = $clog2(Records + 1)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [MemoryAddressBits-1:0] origin_i,
    input logic valid_i,
    input logic [IndexBits-1:0] index_i,
    input logic [7:0] beats_i,
    input logic read_ready_i,
    input logic data_valid_i,
    input logic [MemoryBits-1:0] data_i,
    input logic data_last_i,
    input logic ready_i,
    input logic mark_request_i,
    input logic mark_i,
    input logic [7:0] some_beat_i
);
  typedef logic [MemoryAddressBits-1:0] address_t;
  logic ready, read_valid, valid, ask, due, leave, request_marked, marked;
  address_t read_address;
  logic [7:0] read_beats;
  logic [Width-1:0] data;
  logic [MemoryAddressBits+7:0] request;
  logic [1:0] requests, requests_ahead;
  logic [CountBits-1:0] records, ahead;
  logic [MemoryBits-1:0] value;

  assume_reset i_reset (.*);
  core_receive #(
      .Records(Records),
      .Beats  (Beats),
      .Width  (Width)
  ) dut (
      .clk_i,
      .rst_ni,
      .origin_i,
      .valid_i,
      .ready_o       (ready),
      .index_i,
      .beats_i,
      .read_valid_o  (read_valid),
      .read_ready_i,
      .read_address_o(read_address),
      .read_beats_o  (read_beats),
      .data_valid_i,
      .data_i,
      .data_last_i,
      .valid_o       (valid),
      .ready_i,
      .data_o        (data)
  );
  assign ask   = valid_i && ready;
  assign due   = read_valid && read_ready_i;
  assign leave = valid && ready_i;

  check_stream #(
      .Width   (MemoryAddressBits + 8),
      .Most    (2),
      .Patience(1)
  ) i_ask (
      .clk_i,
      .rst_ni,
      .enter_i     (ask),
      .before_i    ('0),
      .enter_data_i({address_t'(index_i) * address_t'(Beats) + origin_i, beats_i}),
      .mark_i      (mark_request_i),
      .valid_i     (read_valid),
      .ready_i     (read_ready_i),
      .data_i      ({read_address, read_beats}),
      .inside_o    (requests),
      .ahead_o     (requests_ahead),
      .marked_o    (request_marked),
      .value_o     (request)
  );

  // The memory: how many records it still owes, and how many beats of the first of them have come.
  logic [CountBits-1:0] due_q, open_q;  // open: asked for and not taken
  logic [7:0] came_q, pick_q;
  logic [MemoryBits-1:0] picked_q, picked, shown;
  logic [Beats-1:0][MemoryBits-1:0] mask, padded;
  logic end_of_record;
  assign end_of_record = data_valid_i && data_last_i;
  assign mask = (Beats * MemoryBits)'({Width{1'b1}});
  assign padded = (Beats * MemoryBits)'(data);
  assign picked = came_q == pick_q ? data_i & mask[pick_q] : picked_q;
  assign shown = padded[pick_q];
  check_stream #(
      .Width   (MemoryBits),
      .Most    (Records),
      .Patience(Beats)
  ) i_answers (
      .clk_i,
      .rst_ni,
      .enter_i     (end_of_record),
      .before_i    ('0),
      .enter_data_i(picked),
      .mark_i      (mark_i && came_q >= pick_q),
      .valid_i     (valid),
      .ready_i,
      .data_i      (shown),
      .inside_o    (records),
      .ahead_o     (ahead),
      .marked_o    (marked),
      .value_o     (value)
  );

  // What is inside, for the step of the induction: the record that is made, the queue's register, its memory.
  localparam int unsigned Places = Records * Beats + 1;
  logic [Places-1:0] full, last;
  logic [Places-1:0][MemoryBits-1:0] beats;
  logic [31:0] record, beat;
  logic found, right;
  assign full[0] = dut.beat_valid;
  assign {last[0], beats[0]} = {dut.last, dut.beat};
  for (genvar i = 0; i + 1 < Places; i++) begin : g_queue
    assign full[i+1] = i < 32'(dut.u_beats.count_q);
    assign {last[i+1], beats[i+1]} = dut.u_beats.memory[(32'(dut.u_beats.read_q)+i)%(Records*Beats)];
  end
  logic partial_right;  // the picked beat of the record that comes in
  always_comb begin
    record = 32'(valid);
    beat = valid ? '0 : 32'(dut.place_q);
    found = 32'(ahead) == 0 && (valid || dut.place_q > pick_q) && shown == value;
    partial_right = !valid && records == 0 && 32'(dut.place_q) > 32'(pick_q) && shown == picked_q;
    right = !valid || dut.place_q == 0;
    for (int unsigned i = 0; i < Places; i++) begin
      if (full[i]) begin
        right &= last[i] || beat + 1 < Beats;
        if (beat == 32'(pick_q)) begin
          if (record == 32'(ahead)) found |= (beats[i] & mask[pick_q]) == value;
          if (record == 32'(records)) partial_right |= (beats[i] & mask[pick_q]) == picked_q;
        end
        record += 32'(last[i]);
        beat = last[i] ? '0 : beat + 1;
      end
    end
  end

  logic past_q = 1'b0;
  address_t origin_q;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) pick_q <= some_beat_i;
    origin_q <= origin_i;
    m_picked : assume (!past_q || 32'(pick_q) < Beats);
    m_origin : assume (!past_q || origin_i == origin_q);
    m_asked : assume (!data_valid_i || due_q != 0);
    m_record : assume (!data_valid_i || data_last_i || 32'(came_q) + 1 < Beats);
    if (!rst_ni) {due_q, open_q, came_q} <= '0;
    else begin
      due_q  <= due_q + CountBits'(due) - CountBits'(end_of_record);
      open_q <= open_q + CountBits'(ask) - CountBits'(leave);
      if (data_valid_i) came_q <= data_last_i ? '0 : came_q + 1'b1;
      if (data_valid_i) picked_q <= picked;

      a_fits : assert (!data_valid_i || dut.fits);
      a_room : assert (ready == (32'(requests) == 32'(read_valid) && 32'(open_q) < Records));
      i_came : assert (32'(came_q) < Beats && (due_q != 0 || came_q == 0));
      i_requests : assert (32'(requests) == 32'(read_valid) + 32'(dut.product_valid_q) && (!request_marked ||
                           (requests_ahead == 0 && read_valid ? {read_address, read_beats} :
                            {dut.product_q + origin_i, dut.beats_q}) == request));
      i_open : assert (32'(open_q) <= Records && dut.some_q == (dut.room_q != 0) && 32'(dut.room_q) == Records - 32'(open_q) &&
                       32'(open_q) == 32'(requests) + 32'(due_q) + 32'(records));
      i_inside : assert (right && record == 32'(records) && beat == 32'(came_q));
      i_found : assert (!marked || found);
      i_partial : assert (came_q <= pick_q || partial_right);
      i_late : assert (valid || records == 0 || 32'(i_answers.late_q) <= 32'(dut.place_q));
      i_place : assert (32'(dut.place_q) < Beats);
      i_pointers : assert (32'(dut.u_beats.read_q) < Records * Beats && 32'(dut.u_beats.write_q) < Records * Beats);
      i_distance : assert (32'(dut.u_beats.count_q) <= Records * Beats && 32'(dut.u_beats.write_q) ==
                           (32'(dut.u_beats.read_q) + 32'(dut.u_beats.count_q)) % (Records * Beats));
      i_empty : assert (dut.u_beats.empty_q == (dut.u_beats.count_q == 0) && (dut.u_beats.empty_q || dut.beat_valid) &&
                        dut.fits == (32'(dut.u_beats.count_q) < Records * Beats));
      c_short : cover (marked && leave && ahead == 0 && records == CountBits'(Records) && data != '0);
    end
  end
endmodule
