// SPDX-License-Identifier: Apache-2.0
// Function:   located events to operations: for each output row, column and group that an event reaches, and each lane
//             of it, one operation; and a mark for each output word
// Latency:    6 cycles from an event to its first operation
// Throughput: 1 operation per cycle; an event that reaches nothing takes one cycle, too
// Timing:     every stage moves when the one after it is free, stage 3 by a register; what ends a loop is a register,
//             too; the multiplications have registers on both sides
// Reset:      no event in flight
// Model:      codesign.core.interpret
// The deltas of the word stay at deltas_i until `free_o`. It does not add: core_lanes does.
module core_walk
  import core_pkg::*;
  import core_types::*;
(
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic                             valid_i,
    output logic                             ready_o,
    input  located_t                         event_i,
    input  logic       [Lanes*DeltaBits-1:0] deltas_i,        // of the word whose operations are made
    output logic                             free_o,          // it is not needed any more
    output logic                             op_valid_o,
    input  logic                             op_ready_i,
    output operation_t                       op_o,
    output logic       [Lanes*DeltaBits-1:0] deltas_o,
    output logic                             mark_valid_o,
    input  logic                             mark_ready_i,
    output logic       [      IndexBits-1:0] mark_word_o,     // chunk * 32 + bit
    output logic       [                7:0] mark_engine_o,
    input  logic                             load_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic       [                7:0] load_address_i,
    // verilator lint_on UNUSEDSIGNAL
    input  walk_t                            load_data_i
);
  localparam int unsigned AddressBits = WalkDepth > 1 ? $clog2(WalkDepth) : 1;
  localparam int unsigned Low = IndexBits > 18 ? 18 : IndexBits;  // of an index, what a multiplier takes
  typedef logic [IndexBits-1:0] index_t;
  typedef logic [LaneBits:0] lanes_t;
  if (WalkDepth > 256) begin : g_bad
    $error("core_walk: at most 256 readers");
  end

  // Stages 1 and 2, which move together: the reader's record, and the factor of the first line of its weights.
  (* no_rw_check *) walk_t walks[WalkDepth];
  walk_t walk_q1, walk_q2;
  located_t event_q1, event_q2;
  logic [6:0] factor_q2;
  lanes_t most_lane, most_lane_q2;
  logic valid_q1, valid_q2, move, load;

  assign move = !valid_q2 || load;
  assign ready_o = move;
  always_comb begin
    most_lane = '1;
    for (int l = 0; l < int'(Lanes); l++) most_lane += lanes_t'(event_q1.mask[l]);
    if (walk_q1.channelwise) most_lane = '0;
  end
  always_ff @(posedge clk_i) if (load_i) walks[load_address_i[AddressBits-1:0]] <= load_data_i;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_q1, valid_q2} <= '0;
    else if (move) {valid_q1, valid_q2} <= {valid_i, valid_q1};
    if (move) begin
      {walk_q1, event_q1} <= {walks[event_i.walk[AddressBits-1:0]], event_i};
      {walk_q2, event_q2} <= {walk_q1, event_q1};
      if (walk_q1.channelwise) factor_q2 <= 7'(walk_q1.group_lines);
      else factor_q2 <= event_q1.element ? 7'd1 : walk_q1.used;
      most_lane_q2 <= most_lane;
    end
  end

  // Stage 3: the place in the loops; one operation, or an event without one, leaves in each cycle. left_*_q: how often
  // a loop goes on; last_*_q: not at all.
  // verilator lint_off UNUSEDSIGNAL
  walk_t walk_q;
  located_t event_q;
  // verilator lint_on UNUSEDSIGNAL
  logic busy_q, null_q, first_lane_q, step, done;
  logic last_lane_q, last_group_q, last_column_q, last_row_q;
  index_t row_word_q, row_line_q, column_word_q, word_q, line_q;  // line_q: of the kernel's element
  // Lines of the event's lanes: of the first group a multiple, in bits that a multiplier takes and the others; of this
  // group the base and more.
  index_t start_low_q, start_high_q, group_line_q;
  lanes_t left_lane_q, most_lane_q;
  logic [11:0] left_group_q, most_group_q;
  logic [7:0] left_row_q, left_column_q, most_column_q;
  logic one_lane_q, one_group_q, one_column_q;
  logic [Lanes-1:0] lanes_q;
  logic [LaneBits-1:0] lane;

  always_comb begin
    lane = '0;
    for (int l = int'(Lanes) - 1; l >= 0; l--) if (lanes_q[l]) lane = LaneBits'(l);
  end
  assign done = null_q || (last_lane_q && last_group_q && last_column_q && last_row_q);
  assign load = !busy_q || (step && done);

  function automatic index_t high_lines(input index_t remainder, input logic [6:0] factor);
    high_lines = '0;
    for (int i = Low; i < IndexBits; i++) high_lines += remainder[i] ? index_t'(factor) << i : '0;
  endfunction
  index_t start_word, start_line, next_word, next_line;
  logic [11:0] most_group;
  logic [7:0] most_row, most_column;
  assign start_word = event_q2.row.word + event_q2.column.word + (walk_q2.channelwise ? event_q2.remainder : '0);
  assign start_line = event_q2.row.line + event_q2.column.line;
  assign most_group = walk_q2.groups - 12'd1;
  assign most_row = event_q2.row.count - 8'd1;
  assign most_column = event_q2.column.count - 8'd1;
  always_comb begin
    if (!last_group_q) begin
      next_word = word_q + 1'b1;
      next_line = line_q;
    end else if (!last_column_q) begin
      next_word = column_word_q + walk_q.word_column;
      next_line = line_q - walk_q.line_column;
    end else begin
      next_word = row_word_q + walk_q.word_row;
      next_line = row_line_q - walk_q.line_row;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) busy_q <= 1'b0;
    else if (load) busy_q <= valid_q2;
    if (load) begin
      {walk_q, event_q} <= {walk_q2, event_q2};
      null_q <= event_q2.end_of_pass || !event_q2.hit;
      start_low_q <= index_t'((Low + 7)'(event_q2.remainder[Low-1:0]) * (Low + 7)'(factor_q2));
      start_high_q <= high_lines(event_q2.remainder, factor_q2);
      group_line_q <= walk_q2.weight_base;
      {row_word_q, column_word_q, word_q} <= {3{start_word}};
      {row_line_q, line_q} <= {2{start_line}};
      {left_lane_q, most_lane_q} <= {2{most_lane_q2}};
      {left_group_q, most_group_q} <= {2{most_group}};
      {left_column_q, most_column_q, left_row_q} <= {most_column, most_column, most_row};
      {last_lane_q, one_lane_q} <= {2{most_lane_q2 == '0}};
      {last_group_q, one_group_q} <= {2{walk_q2.groups == 12'd1}};
      {last_column_q, one_column_q} <= {2{event_q2.column.count == 8'd1}};
      last_row_q <= event_q2.row.count == 8'd1;
      lanes_q <= event_q2.mask;
      first_lane_q <= 1'b1;
    end else if (step) begin
      first_lane_q <= last_lane_q;
      lanes_q <= last_lane_q ? event_q.mask : lanes_q & (lanes_q - 1'b1);
      left_lane_q <= last_lane_q ? most_lane_q : left_lane_q - 1'b1;
      last_lane_q <= last_lane_q ? one_lane_q : left_lane_q == lanes_t'(1);
      if (last_lane_q) begin
        {word_q, line_q} <= {next_word, next_line};
        group_line_q <= last_group_q ? walk_q.weight_base : group_line_q + walk_q.group_stride;
        left_group_q <= last_group_q ? most_group_q : left_group_q - 1'b1;
        last_group_q <= last_group_q ? one_group_q : left_group_q == 12'd1;
        if (last_group_q) begin
          column_word_q <= next_word;
          left_column_q <= last_column_q ? most_column_q : left_column_q - 1'b1;
          last_column_q <= last_column_q ? one_column_q : left_column_q == 8'd1;
          if (last_column_q) begin
            {row_word_q, row_line_q} <= {next_word, next_line};
            left_row_q <= left_row_q - 1'b1;
            last_row_q <= left_row_q == 8'd1;
          end
        end
      end
    end
  end

  // Stage 4: an operation without its addresses. Its deltas are taken from the word, which may then be free. What the
  // later stages wait for ends here.
  typedef struct packed {
    logic none;  // an event that reaches nothing
    logic free;  // the last one of its word
    logic end_of_pass;
    logic first;  // of its word, which is marked
    logic last;
    logic channelwise;
    logic [LaneBits-1:0] lane;
    logic add_lane;  // to the line
    index_t word;
    index_t line;    // of weights
    index_t offset;  // of the word among those of a maximum
    index_t sum_base;
    logic [7:0] taps;
    index_t mark_base;
    logic [7:0] beats;
    logic [7:0] engine;
  } step_of_walk_t;
  // verilator lint_off UNUSEDSIGNAL
  step_of_walk_t step_now, step_q4, step_q5;
  // verilator lint_on UNUSEDSIGNAL
  logic valid_q4, valid_q5, step_ready, move5;
  logic [Lanes*DeltaBits-1:0] deltas_q5;
  index_t product_q5;

  assign step = busy_q && step_ready;
  assign step_now = '{
          none: !event_q.end_of_pass && !event_q.hit,
          free: done && event_q.free && !event_q.end_of_pass,
          end_of_pass: event_q.end_of_pass,
          first: first_lane_q && !event_q.end_of_pass,
          last: last_lane_q,
          channelwise: walk_q.channelwise,
          lane: lane,
          add_lane: !walk_q.channelwise && !event_q.element,
          word: word_q,
          line: group_line_q + start_low_q + start_high_q + (walk_q.maximum ? '0 : line_q),
          offset: walk_q.maximum ? line_q : '0,
          sum_base: walk_q.sum_base,
          taps: walk_q.taps,
          mark_base: walk_q.mark_base,
          beats: {walk_q.narrow, walk_q.word_beats},
          engine: walk_q.engine
      };
  delta_fifo #(
      .Width($bits(step_of_walk_t)),
      .Depth(1)
  ) i_steps (
      .clk_i,
      .rst_ni,
      .valid_i(busy_q),
      .ready_o(step_ready),
      .data_i (step_now),
      .valid_o(valid_q4),
      .ready_i(move5),
      .data_o (step_q4)
  );

  // Stage 5: the deltas, and the word of sums. Nothing of an event without an operation comes this far.
  assign free_o = valid_q4 && step_q4.free && move5;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q5 <= 1'b0;
    else if (move5) valid_q5 <= valid_q4 && !step_q4.none;
    if (move5) begin
      step_q5 <= step_q4;
      step_q5.line <= step_q4.line + (step_q4.add_lane ? index_t'(step_q4.lane) : '0);
      product_q5 <= step_q4.word * index_t'(step_q4.taps);
      deltas_q5 <= step_q4.channelwise ? deltas_i : {Lanes{deltas_i[step_q4.lane*DeltaBits+:DeltaBits]}};
    end
  end

  // Stage 6: the operation, once its mark is taken.
  logic move6;
  assign move6 = !op_valid_o || op_ready_i;
  assign move5 = !valid_q5 || (move6 && (!step_q5.first || mark_ready_i));
  assign mark_valid_o = valid_q5 && step_q5.first && move6;
  assign mark_word_o = index_t'({step_q5.mark_base, 5'd0}) + step_q5.word;
  assign mark_engine_o = step_q5.engine;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) op_valid_o <= 1'b0;
    else if (move6) op_valid_o <= valid_q5 && move5;
    if (move6) begin
      op_o <= '0;
      {op_o.end_of_pass, op_o.add} <= {step_q5.end_of_pass, !step_q5.end_of_pass};
      {op_o.first, op_o.last} <= {step_q5.first, step_q5.last && !step_q5.end_of_pass};
      op_o.sum <= step_q5.sum_base + product_q5 + step_q5.offset;
      op_o.from <= step_q5.sum_base + product_q5 + step_q5.offset;
      op_o.line <= step_q5.line;
      op_o.beats <= step_q5.beats;
      op_o.engine <= step_q5.engine;
      deltas_o <= deltas_q5;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) op_valid_o && !op_ready_i |=> op_valid_o);
  a_operation :
  assert property (@(posedge clk_i) disable iff (!rst_ni) op_valid_o && !op_ready_i |=> $stable({op_o, deltas_o}));
  a_mark_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) mark_valid_o && !mark_ready_i |=> mark_valid_o);
  a_mark :
  assert property (@(posedge clk_i) disable iff (!rst_ni) mark_valid_o && !mark_ready_i |=>
      $stable({mark_word_o, mark_engine_o}));
`endif
endmodule
