// SPDX-License-Identifier: Apache-2.0
// Function:   operations in order: sum = (first ? sums[sum] : sum) + weights[line] * delta in each lane, last: it is
//             written. Operations on one word that follow each other share a read and a write. sweep: sums[write] =
//             sums[read]
// Latency:    an operation is written 6 cycles after it is taken; what sum_valid_i asks for comes after 2 cycles
// Throughput: 1 operation per cycle; one that reads a word which is not written yet waits for up to 3 cycles; what
//             sum_valid_i asks for waits for up to 2
// Timing:     combinational op_valid_i, op_i.sum, sweep_valid_i -> issue; op_ready_o and sum_ready_o do not depend on
//             them; combinational sum_valid_i -> op_ready_o
// Reset:      nothing in flight
// Model:      codesign.core.interpret
// Reads of core_fetch have the cycles in which no operation reads, and one in three at least: a reader that had to wait
// for them would send only once the operations have run dry. They are of another engine than the one that is added to;
// core_sequence sees to that, and the end of a pass comes out as done_o when all before it is written.
module core_lanes
  import core_pkg::*;
  import core_types::*;
(
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic                             op_valid_i,
    output logic                             op_ready_o,
    input  operation_t                       op_i,
    input  logic       [Lanes*DeltaBits-1:0] deltas_i,
    input  logic                             sweep_valid_i,   // op_valid_i is low while there is a sweep
    output logic                             sweep_ready_o,
    input  logic       [      IndexBits-1:0] sweep_read_i,
    input  logic       [      IndexBits-1:0] sweep_write_i,
    output logic                             done_o,
    output logic                             issued_o,        // an operation begins
    output logic                             stalled_o,       // one waits for a word that is being written
    output logic       [                7:0] engine_o,        // whose it is
    input  logic                             sum_valid_i,
    output logic                             sum_ready_o,
    // verilator lint_off UNUSEDSIGNAL
    input  logic       [      IndexBits-1:0] sum_address_i,
    // verilator lint_on UNUSEDSIGNAL
    output logic       [  Lanes*SumBits-1:0] sum_data_o,
    input  logic       [          Lanes-1:0] load_weight_i,
    input  logic       [          Lanes-1:0] load_sum_i,
    input  logic       [      IndexBits-1:0] load_address_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic       [       LoadBits-1:0] load_word_i      // a sum, or weights of some lanes, each in its slot
    // verilator lint_on UNUSEDSIGNAL
);
  localparam int unsigned LineBits = WeightDepth > 1 ? $clog2(WeightDepth) : 1;
  localparam int unsigned WordBits = SumDepth > 1 ? $clog2(SumDepth) : 1;
  localparam int unsigned Stages = 5;  // from issue to write
  localparam int unsigned Slots = 32 / WeightSlot;  // weights of a word of an image

  // The operation that waits to be issued. Its word is read at `read`, and written at op.sum.
  logic held_q, sweep_q;
  operation_t op_q;
  // verilator lint_off UNUSEDSIGNAL
  logic [IndexBits-1:0] read_q;
  // verilator lint_on UNUSEDSIGNAL
  logic [Lanes*DeltaBits-1:0] deltas_q;
  logic merge, hazard, issue;

  assign merge = op_valid_i && held_q && !sweep_q && !op_q.end_of_pass && !op_i.end_of_pass && op_i.sum == op_q.sum;
  assign issue = held_q && !hazard;
  assign op_ready_o = !held_q || !hazard;
  assign sweep_ready_o = op_ready_o;
  assign issued_o = issue && !op_q.end_of_pass && !sweep_q;
  assign stalled_o = held_q && hazard;
  assign engine_o = op_q.engine;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) held_q <= 1'b0;
    else if (op_ready_o) held_q <= op_valid_i || sweep_valid_i;
    if (op_ready_o) begin
      sweep_q <= sweep_valid_i;
      if (sweep_valid_i) begin
        op_q <= '{end_of_pass: 1'b0, first: 1'b1, last: 1'b1, sum: sweep_write_i, line: '0, engine: '0};
        read_q <= sweep_read_i;
        deltas_q <= '0;
      end else if (op_valid_i) begin
        op_q <= op_i;
        op_q.first <= op_i.first && !merge;
        read_q <= op_i.sum;
        deltas_q <= deltas_i;
      end
    end
  end

  // In flight: stage s holds what was issued s cycles ago.
  typedef struct packed {
    logic end_of_pass;
    logic first;
    logic last;
    logic [WordBits-1:0] read;
    logic [WordBits-1:0] write;
  } flight_t;
  logic [Stages:1] valid_q;
  flight_t flight[Stages+1];
  flight_t flight_q[Stages];

  assign flight[0] = '{
          end_of_pass: op_q.end_of_pass,
          first: op_q.first,
          last: op_q.last && !merge,
          read: read_q[WordBits-1:0],
          write: op_q.sum[WordBits-1:0]
      };
  for (genvar s = 1; s <= int'(Stages); s++) begin : g_flight
    assign flight[s] = flight_q[s-1];
    if (s == 1) begin : g_first
      always_ff @(posedge clk_i) if (issue) flight_q[0] <= flight[0];
    end else begin : g_later
      always_ff @(posedge clk_i) if (valid_q[s-1]) flight_q[s-1] <= flight[s-1];
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Stages-1:1], issue};
  end

  // A word may be read 2 cycles after issue, from the cycle on that follows its write in stage 5. An operation that
  // would be the third to read while core_fetch waits leaves its cycle to it.
  logic read, write;
  always_comb begin
    hazard = sum_valid_i && read && valid_q[1] && flight[1].first && !flight[1].end_of_pass;
    for (int unsigned s = 1; s <= 3; s++) begin
      if (valid_q[s] && !flight[s].end_of_pass && flight[s].write == read_q[WordBits-1:0]) hazard = 1'b1;
    end
    if (!op_q.first || op_q.end_of_pass) hazard = 1'b0;
  end

  assign read = valid_q[2] && flight[2].first && !flight[2].end_of_pass;
  assign sum_ready_o = !read;
  assign write = valid_q[Stages] && flight[Stages].last && !flight[Stages].end_of_pass;
  always_ff @(posedge clk_i) done_o <= rst_ni && valid_q[Stages] && flight[Stages].end_of_pass;

  for (genvar l = 0; l < int'(Lanes); l++) begin : g_lane
    core_lane i_lane (
        .clk_i,
        .valid_i({valid_q[4:1], issue}),
        .line_i(op_q.line[LineBits-1:0]),
        .delta_i(deltas_q[l*DeltaBits+:DeltaBits]),
        .read_i(read || sum_valid_i),
        .read_address_i(read ? flight[2].read : sum_address_i[WordBits-1:0]),
        .first_i(flight[4].first),
        .write_i(write),
        .write_address_i(flight[Stages].write),
        .sum_o(sum_data_o[l*SumBits+:SumBits]),
        .load_weight_i(load_weight_i[l]),
        .load_sum_i(load_sum_i[l]),
        .load_address_i,
        .load_weight_data_i(load_word_i[(l%Slots)*WeightSlot+:WeightBits]),
        .load_sum_data_i(load_word_i[SumBits-1:0])
    );
  end
endmodule
