// SPDX-License-Identifier: Apache-2.0
// Function:   words that changed -> the sums of all that read them, and marks of the words that were added to
// Latency:    that of core_place, core_walk and core_lanes, one after the other
// Throughput: 1 operation per cycle
// Timing:     see its parts; queues of registers between them
// Reset:      no word
// Model:      codesign.core.interpret
// It only wires. Deltas stay in their queue until the last reader of their word is done.
module core_adder
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned WordQueue = 16,   // words with a change that may wait
    parameter int unsigned EventQueue = 16,  // located events that may wait: hides those that reach nothing
    parameter int unsigned OperationQueue = 64  // operations that may wait for what lies outside
) (
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  logic       [              7:0] reader_base_i,
    input  logic       [              7:0] readers_i,
    input  logic                           valid_i,
    output logic                           ready_o,
    input  changed_t                       changed_i,
    input  logic       [Lanes*DeltaBits-1:0] deltas_i,
    output logic                           mark_valid_o,
    input  logic                           mark_ready_i,
    output logic       [    IndexBits-1:0] mark_word_o,
    output logic       [              7:0] mark_engine_o,
    input  logic       [              7:0] word_beats_i,      // of the step
    input  logic                           ask_valid_i,       // for a word of sums
    output logic                           ask_ready_o,
    input  logic       [    IndexBits-1:0] ask_address_i,
    input  logic       [              3:0] gap_i,
    output logic                           sum_valid_o,
    output logic       [Lanes*SumBits-1:0] sum_data_o,
    input  logic                           sweep_valid_i,
    output logic                           sweep_ready_o,
    input  logic       [    IndexBits-1:0] sweep_read_i,
    input  logic       [    IndexBits-1:0] sweep_write_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic                           forget_i,          // no network
    input  logic       [MemoryAddressBits-1:0] line_origin_i,
    output logic       [              1:0] read_valid_o,      // outside: words of sums, lines of weights
    input  logic       [              1:0] read_ready_i,
    output logic       [1:0][MemoryAddressBits-1:0] read_address_o,
    output logic       [         1:0][7:0] read_beats_o,
    input  logic       [              1:0] data_valid_i,
    input  logic       [   MemoryBits-1:0] data_i,
    input  logic                           data_last_i,
    output logic                           write_valid_o,     // words of sums
    input  logic                           write_ready_i,
    output logic       [MemoryAddressBits-1:0] write_address_o,
    output logic       [              7:0] write_beats_o,
    output logic       [   MemoryBits-1:0] write_data_o,
    output logic                           write_last_o,
    // verilator lint_on UNUSEDSIGNAL
    output logic                           done_o,
    output logic                           issued_o,
    output logic                           stalled_o,
    output logic       [              7:0] engine_o,
    input  logic                           load_place_i,
    input  logic                           load_walk_i,
    input  logic                           load_table_i,
    input  logic       [        Lanes-1:0] load_weight_i,
    input  logic       [        Lanes-1:0] load_sum_i,
    input  logic       [    IndexBits-1:0] load_address_i,
    input  place_t                         load_place_data_i,
    input  walk_t                          load_walk_data_i,
    input  table_t                         load_table_data_i,
    input  logic       [     LoadBits-1:0] load_word_i
);
  logic changed_ready, changed_valid, place_ready, deltas_ready, take, free;
  // verilator lint_off UNUSEDSIGNAL
  logic deltas_valid, kept_valid, kept_ready;  // there are some, or there is room, wherever they are looked at
  // verilator lint_on UNUSEDSIGNAL
  changed_t changed;
  logic [Lanes*DeltaBits-1:0] deltas, walk_deltas, slots_deltas, lanes_deltas;
  assign ready_o = changed_ready && deltas_ready;
  assign take = valid_i && ready_o;
  delta_fifo #(.Width($bits(changed_t)), .Depth(WordQueue)) i_changed (
      .clk_i,
      .rst_ni,
      .valid_i(take),
      .ready_o(changed_ready),
      .data_i(changed_i),
      .valid_o(changed_valid),
      .ready_i(place_ready),
      .data_o(changed)
  );
  delta_fifo #(.Width(Lanes * DeltaBits), .Depth(WordQueue), .Registered(1'b0)) i_deltas (
      .clk_i,
      .rst_ni,
      .valid_i(take && !changed_i.end_of_pass),
      .ready_o(deltas_ready),
      .data_i(deltas_i),
      .valid_o(deltas_valid),
      .ready_i(free),
      .data_o(deltas)
  );

  logic placed_valid, placed_ready, located_valid, walk_ready, op_valid, op_ready;
  located_t placed, located;
  operation_t op;
  core_place i_place (
      .clk_i,
      .rst_ni,
      .reader_base_i,
      .readers_i,
      .valid_i(changed_valid),
      .ready_o(place_ready),
      .changed_i(changed),
      .valid_o(placed_valid),
      .ready_i(placed_ready),
      .event_o(placed),
      .load_place_i,
      .load_table_i,
      .load_address_i,
      .load_place_data_i,
      .load_table_data_i
  );
  delta_fifo #(.Width($bits(located_t)), .Depth(EventQueue)) i_located (
      .clk_i,
      .rst_ni,
      .valid_i(placed_valid),
      .ready_o(placed_ready),
      .data_i(placed),
      .valid_o(located_valid),
      .ready_i(walk_ready),
      .data_o(located)
  );
  logic walk_valid, walk_free, slots_valid, slots_ready, lanes_valid, lanes_ready;
  operation_t walk_op, slots_op, lanes_op;
  core_walk i_walk (
      .clk_i,
      .rst_ni,
      .valid_i(located_valid),
      .ready_o(walk_ready),
      .event_i(located),
      .deltas_i(deltas),
      .free_o(free),
      .op_valid_o(walk_valid),
      .op_ready_i(walk_free),
      .op_o(walk_op),
      .deltas_o(walk_deltas),
      .mark_valid_o,
      .mark_ready_i,
      .mark_word_o,
      .mark_engine_o,
      .load_i(load_walk_i),
      .load_address_i(load_address_i[7:0]),
      .load_data_i(load_walk_data_i)
  );
  // What core_walk waits for ends here: its stages move by a register.
  delta_fifo #(.Width($bits(operation_t)), .Depth(1)) i_operations (
      .clk_i,
      .rst_ni,
      .valid_i(walk_valid),
      .ready_o(walk_free),
      .data_i (walk_op),
      .valid_o(op_valid),
      .ready_i(op_ready),
      .data_o (op)
  );
  // The deltas of additions wait apart: others come between these on their way, and none is lost. There is room for
  // those of all operations from i_operations to i_ready: at most OperationQueue and 12.
  localparam int unsigned Kept = OperationQueue + 16;
  delta_fifo #(.Width(Lanes * DeltaBits), .Depth(Kept), .Registered(1'b0), .RamStyle("distributed")) i_kept (
      .clk_i,
      .rst_ni,
      .valid_i(walk_valid && walk_free && walk_op.add),
      .ready_o(kept_ready),
      .data_i (walk_deltas),
      .valid_o(kept_valid),
      .ready_i(slots_valid && slots_ready && slots_op.add),
      .data_o (slots_deltas)
  );

  // Additions, words that are asked for and sweeps, in order; and those on what lies outside.
  logic ordered_valid, ordered_ready, asked_valid, asked_ready;
  operation_t ordered;
  logic [IndexBits-1:0] asked_address;
  delta_fifo #(.Width(IndexBits), .Depth(1)) i_asked (
      .clk_i,
      .rst_ni,
      .valid_i(ask_valid_i),
      .ready_o(ask_ready_o),
      .data_i (ask_address_i),
      .valid_o(asked_valid),
      .ready_i(asked_ready),
      .data_o (asked_address)
  );
  core_order i_order (
      .clk_i,
      .rst_ni,
      .op_valid_i(op_valid),
      .op_ready_o(op_ready),
      .op_i(op),
      .beats_i(word_beats_i),
      .read_valid_i(asked_valid),
      .read_ready_o(asked_ready),
      .read_address_i(asked_address),
      .sweep_valid_i,
      .sweep_ready_o,
      .sweep_read_i,
      .sweep_write_i,
      .valid_o(ordered_valid),
      .ready_i(ordered_ready),
      .op_o(ordered)
  );

  // verilator lint_off UNUSEDSIGNAL
  logic save_valid, save_ready, fill_valid, fill_ready, line_valid, line_ready;
  // verilator lint_on UNUSEDSIGNAL
  logic [Lanes*SumBits-1:0] fill_data;
  logic [Lanes*WeightBits-1:0] line_data;
  if (HasMemory) begin : g_outside
    core_outside #(.Queue(OperationQueue)) i_outside (
        .clk_i,
        .rst_ni,
        .forget_i,
        .line_origin_i,
        .op_valid_i(ordered_valid),
        .op_ready_o(ordered_ready),
        .op_i(ordered),
        .valid_o(slots_valid),
        .ready_i(slots_ready),
        .op_o(slots_op),
        .save_valid_i(save_valid),
        .save_ready_o(save_ready),
        .save_data_i(sum_data_o),
        .fill_valid_o(fill_valid),
        .fill_ready_i(fill_ready),
        .fill_data_o(fill_data),
        .line_valid_o(line_valid),
        .line_ready_i(line_ready),
        .line_data_o(line_data),
        .read_valid_o,
        .read_ready_i,
        .read_address_o,
        .read_beats_o,
        .data_valid_i,
        .data_i,
        .data_last_i,
        .write_valid_o,
        .write_ready_i,
        .write_address_o,
        .write_beats_o,
        .write_data_o,
        .write_last_o
    );
  end else begin : g_inside
    assign {slots_valid, ordered_ready, slots_op} = {ordered_valid, slots_ready, ordered};
    assign {save_ready, fill_valid, fill_data, line_valid, line_data} = '0;
    assign {read_valid_o, read_address_o, read_beats_o} = '0;
    assign {write_valid_o, write_address_o, write_beats_o, write_data_o, write_last_o} = '0;
  end

  delta_fifo #(.Width($bits(operation_t) + Lanes * DeltaBits), .Depth(1)) i_ready (  // core_lanes' waits end here
      .clk_i,
      .rst_ni,
      .valid_i(slots_valid),
      .ready_o(slots_ready),
      .data_i ({slots_op, slots_deltas}),
      .valid_o(lanes_valid),
      .ready_i(lanes_ready),
      .data_o ({lanes_op, lanes_deltas})
  );
  core_lanes i_lanes (
      .clk_i,
      .rst_ni,
      .op_valid_i(lanes_valid),
      .op_ready_o(lanes_ready),
      .op_i(lanes_op),
      .deltas_i(lanes_deltas),
      .done_o,
      .issued_o,
      .stalled_o,
      .engine_o,
      .gap_i,
      .read_o(sum_valid_o),
      .save_o(save_valid),
      .save_ready_i(save_ready),
      .sum_data_o,
      .fill_valid_i(fill_valid),
      .fill_ready_o(fill_ready),
      .fill_data_i(fill_data),
      .line_valid_i(line_valid),
      .line_ready_o(line_ready),
      .line_data_i(line_data),
      .load_weight_i,
      .load_sum_i,
      .load_address_i,
      .load_word_i
  );

`ifndef SYNTHESIS
  a_kept :
  assert property (@(posedge clk_i) disable iff (!rst_ni) walk_valid && walk_op.add |-> kept_ready);
`endif
endmodule
