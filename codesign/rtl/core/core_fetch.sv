// SPDX-License-Identifier: Apache-2.0
// Function:   words of a pass -> their sums, Quantisers lanes a token: group = word % groups; the word of sums at
//             sum_base + word * taps, part after part; with taps > 1 the largest of so many words from there on, lane
//             by lane
// Latency:    18 cycles, and what the sums take
// Throughput: 1 part a cycle with one tap, else a request a cycle
// Timing:     ready_o is a register's, sum_address_o a register; combinational sum_ready_i -> pop of the queue of
//             words; all outputs of parts are registers
// Reset:      empty
// Model:      rtl_tests.bench_core_fetch.fetched
// Sums come in the order of the requests, with gap_o cycles or more between two of them, and are not asked to wait: a
// request is made once there is room for what it brings. step_i stays until the pass has left.
module core_fetch
  import core_pkg::*;
(
    input  logic                          clk_i,
    input  logic                          rst_ni,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                         step_i,         // some fields are for others
    // verilator lint_on UNUSEDSIGNAL
    input  logic                          valid_i,
    output logic                          ready_o,
    input  logic                          end_i,
    input  logic [         IndexBits-1:0] word_i,
    output logic                          sum_valid_o,
    input  logic                          sum_ready_i,
    output logic [         IndexBits-1:0] sum_address_o,
    output logic [                   3:0] gap_o,
    input  logic                          sum_valid_i,
    input  logic [     Lanes*SumBits-1:0] sum_data_i,
    output logic                          valid_o,
    input  logic                          ready_i,
    output logic                          end_o,
    output logic [         IndexBits-1:0] word_o,
    output logic [                   3:0] part_o,
    output logic                          last_part_o,
    output logic [         IndexBits-1:0] group_o,
    output logic [Quantisers*SumBits-1:0] z_o
);
  localparam int unsigned Room = 16;  // parts in the queue at the end
  localparam int unsigned Low = IndexBits > 18 ? 18 : IndexBits;  // of a word, what a multiplier takes
  localparam int unsigned SelectBits = MostParts > 1 ? $clog2(MostParts) : 1;
  if (MostParts > 8) begin : g_bad
    $error("core_fetch: at most 8 parts");
  end

  typedef struct packed {
    logic end_of_pass;
    logic [IndexBits-1:0] word;
    logic [IndexBits-1:0] group;
  } head_t;
  typedef logic [Quantisers*SumBits-1:0] part_t;

  // Group.
  logic divided, found, taken;
  head_t head_q2;
  // verilator lint_off UNUSEDSIGNAL
  logic [IndexBits-1:0] unused_quotient;
  // verilator lint_on UNUSEDSIGNAL
  head_t head;
  core_divide #(
      .Width(IndexBits + 1)
  ) u_divide (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o,
      .index_i    (word_i),
      .recip_i    (step_i.group_recip),
      .shift_i    (step_i.group_shift),
      .divisor_i  (step_i.groups),
      .payload_i  ({end_i, word_i}),
      .valid_o    (divided),
      .ready_i    (taken),
      .quotient_o (unused_quotient),
      .remainder_o(head.group),
      .payload_o  ({head.end_of_pass, head.word})
  );

  // Address, in two stages that move with the divider.
  function automatic logic [IndexBits-1:0] rest(input logic [IndexBits-1:0] word, input logic [7:0] taps);
    rest = '0;
    for (int i = Low; i < IndexBits; i++) rest += word[i] ? IndexBits'(taps) << i : '0;
  endfunction
  logic [2:1] valid_q;
  head_t head_q;
  logic [IndexBits-1:0] low_q, rest_q, base_q2;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else if (taken) valid_q <= {valid_q[1], divided};
  end
  always_ff @(posedge clk_i) begin
    if (taken) begin
      head_q  <= head;
      low_q   <= IndexBits'((Low + 8)'(head.word[Low-1:0]) * (Low + 8)'(step_i.taps));
      rest_q  <= rest(head.word, step_i.taps) + step_i.sum_base;
      head_q2 <= head_q;
      base_q2 <= low_q + rest_q;
    end
  end

  head_t next;
  logic [IndexBits-1:0] next_base;
  logic load;
  delta_fifo #(
      .Width($bits(head_t) + IndexBits),
      .Depth(4),
      .Registered(1'b0)
  ) u_words (
      .clk_i,
      .rst_ni,
      .valid_i(valid_q[2]),
      .ready_o(taken),
      .data_i ({head_q2, base_q2}),
      .valid_o(found),
      .ready_i(load),
      .data_o ({next, next_base})
  );

  // Requests: one for a word, or one for each part and tap.
  typedef struct packed {
    head_t head;
    logic [3:0] part;
    logic first;  // of the taps
    logic last;
  } tag_t;
  logic codes_q;  // a packet of codes needs no sums
  logic single, single_q, asking_q, go, request, last_tap, last_part, done;
  head_t asked_q;
  logic [IndexBits-1:0] base_q;
  logic [7:0] tap_q;
  logic [3:0] part_q, gap_q, need;
  logic [7:0] most_tap_q;
  logic [3:0] most_part_q;
  logic [$clog2(Room+1)-1:0] room_q, least_q;
  logic enough_q, offered_q, pop_q;  // offered_q: the request of the last cycle was not taken
  logic pop, tags_ready;
  assign single = step_i.taps == 1;
  assign need = single_q && !asked_q.end_of_pass ? step_i.parts : 4'd1;
  assign go = asking_q && gap_q == 0 && tags_ready && (tap_q != 0 || enough_q || offered_q);
  assign sum_valid_o = go && !asked_q.end_of_pass && !codes_q;
  assign request = go && (asked_q.end_of_pass || codes_q || sum_ready_i);
  assign last_tap = asked_q.end_of_pass || tap_q == most_tap_q;
  assign last_part = asked_q.end_of_pass || single_q || part_q == most_part_q;
  assign done = request && last_tap && last_part;
  assign load = done || !asking_q;
  always_ff @(posedge clk_i) begin
    if (load) {asked_q, base_q, sum_address_o} <= {next, next_base, next_base};
    else if (request) sum_address_o <= last_tap ? base_q : sum_address_o + 1'b1;
    // Of the step, which is there long before its words. A request that takes one place may follow another one at once,
    // before enough_q knows of that: hence two.
    {single_q, most_tap_q, most_part_q} <= {single, step_i.taps - 1'b1, step_i.parts - 1'b1};
    codes_q <= step_i.packet[1];
    least_q <= single && step_i.parts > 2 ? ($clog2(Room + 1))'(step_i.parts) : ($clog2(Room + 1))'(2);
    gap_o   <= single ? step_i.parts - 1'b1 : '0;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {asking_q, enough_q, offered_q, pop_q} <= '0;
      {tap_q, part_q, gap_q} <= '0;
      room_q <= ($clog2(Room + 1))'(Room);
    end else begin
      if (load) asking_q <= found;
      if (request) begin
        tap_q <= last_tap ? '0 : tap_q + 1'b1;
        if (last_tap) part_q <= last_part ? '0 : part_q + 1'b1;
      end
      gap_q <= request ? need - 1'b1 : gap_q != 0 ? gap_q - 1'b1 : '0;
      room_q <= room_q - (request && tap_q == 0 ? ($clog2(Room + 1))'(need) : '0) + ($clog2(Room + 1))'(pop_q);
      enough_q <= room_q >= least_q;
      offered_q <= sum_valid_o && !sum_ready_i;
      pop_q <= pop;
    end
  end

  // What was asked for, in order; the end of the pass among it.
  tag_t asked, tag;
  logic tag_valid, come;
  assign asked = '{head: asked_q, part: part_q, first: tap_q == 0, last: last_tap};
  delta_fifo #(
      .Width($bits(tag_t)),
      .Depth(Room),
      .Registered(1'b0)
  ) u_tags (
      .clk_i,
      .rst_ni,
      .valid_i(request),
      .ready_o(tags_ready),
      .data_i (asked),
      .valid_o(tag_valid),
      .ready_i(come),
      .data_o (tag)
  );

  // What came is held until its last part is taken; then the largest of the taps; then the queue.
  logic [MostParts-1:0][Quantisers*SumBits-1:0] held_q;
  tag_t of_q, chosen_q;
  head_t largest_q;
  logic [3:0] largest_part_q;
  logic holding_q, choosing_q, whole_q, more_q;  // more: of_q is not the last part of what is held
  part_t z_q, z_q2;
  assign come = sum_valid_i || (tag_valid && (tag.head.end_of_pass || codes_q) && !(holding_q && more_q));
  always_ff @(posedge clk_i) begin
    if (sum_valid_i) held_q <= sum_data_i;
    if (come) begin
      of_q   <= tag;
      more_q <= single_q && !tag.head.end_of_pass && tag.part != most_part_q;
    end else if (more_q) begin
      of_q.part <= of_q.part + 1'b1;
      more_q <= of_q.part + 1'b1 != most_part_q;
    end
    chosen_q <= of_q;
    z_q <= held_q[SelectBits'(of_q.part)];
    {largest_q, largest_part_q} <= {chosen_q.head, chosen_q.part};
  end
  for (genvar i = 0; i < Quantisers; i++) begin : g_lane
    logic signed [SumBits-1:0] new_z, old_z;
    assign new_z = z_q[i*SumBits+:SumBits];
    assign old_z = z_q2[i*SumBits+:SumBits];
    always_ff @(posedge clk_i) begin
      if (choosing_q && (chosen_q.first || new_z > old_z)) z_q2[i*SumBits+:SumBits] <= new_z;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {holding_q, choosing_q, whole_q} <= '0;
    else begin
      holding_q  <= come || (holding_q && more_q);
      choosing_q <= holding_q;
      whole_q <= choosing_q && chosen_q.last;
    end
  end

  logic is_last, fits;
  assign is_last = largest_part_q == most_part_q;
  assign pop = valid_o && ready_i;
  delta_fifo #(
      .Width($bits(head_t) + 5 + Quantisers * SumBits),
      .Depth(Room)
  ) u_parts (
      .clk_i,
      .rst_ni,
      .valid_i(whole_q),
      .ready_o(fits),
      .data_i ({largest_q, largest_part_q, is_last, z_q2}),
      .valid_o,
      .ready_i,
      .data_o ({end_o, word_o, group_o, part_o, last_part_o, z_o})
  );

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) sum_valid_o && !sum_ready_i |=> sum_valid_o);
  a_address :
  assert property (@(posedge clk_i) disable iff (!rst_ni) sum_valid_o && !sum_ready_i |=> $stable(sum_address_o));
  a_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) whole_q |-> fits);
  a_held :
  assert property (@(posedge clk_i) disable iff (!rst_ni) come |-> tag_valid && !(holding_q && more_q));
`endif
endmodule
