// SPDX-License-Identifier: Apache-2.0
// Function:   operations in order, on the sums of all lanes: see operation_t. Additions to one word that follow each
//             other share a read and a write
// Latency:    an operation is issued in the cycle after it is taken, its word is read 2 cycles later, and comes out 4
//             cycles later or is written 5 cycles later
// Throughput: 1 operation per cycle; one that reads a word which is not written yet waits for up to 3 cycles; words for
//             core_fetch come at least gap_i cycles after each other; a fill waits for its data, a save for room
// Timing:     combinational op_valid_i, op_i.sum -> issue; op_ready_o does not depend on them, but on save_ready_i,
//             fill_valid_i, line_valid_i; line_ready_o on line_valid_i and registers
// Reset:      nothing in flight
// Model:      codesign.core.interpret
// The end of a pass comes out as done_o when all before it is written. A line that is filled is written while its
// operation is held, and read in the cycle after its issue; if the one before reads what was in its place, it waits.
// The sums of a word are loaded one lane at a time, in any order but for the last one, with which the word is written.
module core_lanes
  import core_pkg::*;
  import core_types::*;
(
    input  logic                              clk_i,
    input  logic                              rst_ni,
    input  logic                              op_valid_i,
    output logic                              op_ready_o,
    // verilator lint_off UNUSEDSIGNAL
    input  operation_t                        op_i,           // its beats are core_cache's
    // verilator lint_on UNUSEDSIGNAL
    input  logic       [ Lanes*DeltaBits-1:0] deltas_i,
    output logic                              done_o,
    output logic                              issued_o,       // an addition begins
    output logic                              stalled_o,      // an operation waits
    output logic       [                 7:0] engine_o,       // whose it is
    input  logic       [                 3:0] gap_i,
    output logic                              read_o,         // sum_data_o is for core_fetch
    output logic                              save_o,         // it is for the memory outside
    input  logic                              save_ready_i,   // there is room for it, and stays
    output logic       [   Lanes*SumBits-1:0] sum_data_o,
    input  logic                              fill_valid_i,
    output logic                              fill_ready_o,
    input  logic       [   Lanes*SumBits-1:0] fill_data_i,
    input  logic                              line_valid_i,
    output logic                              line_ready_o,
    input  logic       [Lanes*WeightBits-1:0] line_data_i,
    input  logic       [           Lanes-1:0] load_weight_i,
    input  logic       [           Lanes-1:0] load_sum_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic       [       IndexBits-1:0] load_address_i,
    input  logic       [        LoadBits-1:0] load_word_i     // a sum, or weights of some lanes, each in its slot
    // verilator lint_on UNUSEDSIGNAL
);
  localparam int unsigned LineBits = WeightDepth + CachedLines > 1 ? $clog2(WeightDepth + CachedLines) : 1;
  localparam int unsigned WordBits = SumDepth + CachedWords > 1 ? $clog2(SumDepth + CachedWords) : 1;
  localparam int unsigned Stages = 5;  // from issue to write
  localparam int unsigned Slots = 32 / WeightSlot;  // weights of a word of an image

  // The operation that waits to be issued.
  logic held_q;
  // verilator lint_off UNUSEDSIGNAL
  operation_t op_q;
  // verilator lint_on UNUSEDSIGNAL
  logic [Lanes*DeltaBits-1:0] deltas_q;
  logic merge, waits, issue;

  assign merge = op_valid_i && held_q && op_q.add && op_i.add && op_i.sum == op_q.sum;
  assign issue = held_q && !waits;
  assign op_ready_o = !held_q || !waits;
  assign issued_o = issue && op_q.add;
  assign stalled_o = held_q && waits;
  assign engine_o = op_q.engine;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) held_q <= 1'b0;
    else if (op_ready_o) held_q <= op_valid_i;
    if (op_ready_o && op_valid_i) begin
      op_q <= op_i;
      op_q.first <= op_i.first && !merge;
      deltas_q <= deltas_i & {Lanes * DeltaBits{op_i.add}};
    end
  end

  // In flight: stage s holds what was issued s cycles ago.
  typedef struct packed {
    logic end_of_pass;
    logic read;
    logic save;
    logic fill;
    logic first;
    logic last;
    logic [WordBits-1:0] from;
    logic [WordBits-1:0] to;
  } flight_t;
  logic [Stages:1] valid_q;
  flight_t flight[Stages+1];
  flight_t flight_q[Stages];
  flight_t loaded;  // writes a word whose sums are all loaded
  logic load_word;

  assign flight[0] = '{
          end_of_pass: op_q.end_of_pass,
          read: op_q.read,
          save: op_q.save,
          fill: op_q.fill,
          first: op_q.first,
          last: op_q.last && !merge,
          from: op_q.from[WordBits-1:0],
          to: op_q.sum[WordBits-1:0]
      };
  assign load_word = load_sum_i[Lanes-1];
  always_comb begin
    loaded = '0;
    {loaded.last, loaded.to} = {1'b1, load_address_i[WordBits-1:0]};
  end
  for (genvar s = 1; s <= int'(Stages); s++) begin : g_flight
    assign flight[s] = flight_q[s-1];
    if (s == 1) begin : g_first
      always_ff @(posedge clk_i) if (issue) flight_q[0] <= flight[0];
    end else if (s < int'(Stages)) begin : g_later
      always_ff @(posedge clk_i) if (valid_q[s-1]) flight_q[s-1] <= flight[s-1];
    end else begin : g_last
      always_ff @(posedge clk_i) if (valid_q[s-1] || load_word) flight_q[s-1] <= load_word ? loaded : flight[s-1];
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Stages-1] || load_word, valid_q[Stages-2:1], issue};
  end

  // A word may be read 2 cycles after issue, from the cycle on that follows its write in stage 5. hazard_q[s]: what is
  // in stage s writes the word that op_q reads. Known when op_q is taken: whatever it waits for, stages go on.
  logic reads;
  logic [3:1] written, hazard_q;  // without a reset: looked at while held_q
  assign reads = op_i.first || op_i.read || op_i.save;
  always_comb begin
    written[1] = held_q && flight[0].last && flight[0].to == op_i.from[WordBits-1:0];
    for (int unsigned s = 1; s <= 2; s++) begin
      written[s+1] = valid_q[s] && flight[s].last && flight[s].to == op_i.from[WordBits-1:0];
    end
  end
  always_ff @(posedge clk_i) begin
    hazard_q <= op_ready_o ? written & {3{op_valid_i && reads}} : {hazard_q[2:1], 1'b0};
  end

  // What comes from outside or goes there, one word at a time; and the words for core_fetch. Each is busy in the cycle
  // after it was issued.
  logic saving_q, filling_q, gap_busy_q, line_write, line_late;
  logic clash_q, written_q;  // the line before is in the place of a filled one; that one is there
  logic [3:0] gap_q;
  assign waits = hazard_q != '0 || (op_q.read && gap_busy_q) || (op_q.save && (saving_q || !save_ready_i)) ||
      (op_q.fill && (filling_q || !fill_valid_i)) || line_late;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {gap_q, gap_busy_q, saving_q, filling_q} <= '0;
    else begin
      gap_q <= issue && op_q.read ? gap_i : gap_q != 0 ? gap_q - 1'b1 : '0;
      gap_busy_q <= issue && op_q.read ? gap_i != 0 : gap_q > 4'd1;
      saving_q <= issue && op_q.save;
      for (int unsigned s = 1; s <= 3; s++) if (valid_q[s] && flight[s].save) saving_q <= 1'b1;
      filling_q <= issue && op_q.fill;
      for (int unsigned s = 1; s <= 4; s++) if (valid_q[s] && flight[s].fill) filling_q <= 1'b1;
    end
  end
  logic [LineBits-1:0] line, line_q;  // line_q: of the operation in stage 1, whose weights are read
  assign line = op_q.line[LineBits-1:0];
  assign line_write = held_q && op_q.fill_line && line_valid_i && !clash_q && !written_q;
  assign line_late = op_q.fill_line && !written_q && (clash_q || !line_valid_i);
  assign line_ready_o = line_write;
  always_ff @(posedge clk_i) begin
    if (issue) line_q <= line;
    clash_q <= op_ready_o && held_q && op_i.line[LineBits-1:0] == line;
    written_q <= !op_ready_o && (written_q || line_write);
  end

  assign read_o = valid_q[4] && flight[4].read;
  assign save_o = valid_q[4] && flight[4].save;
  assign fill_ready_o = valid_q[Stages] && flight[Stages].fill;
  always_ff @(posedge clk_i) done_o <= rst_ni && valid_q[Stages] && flight[Stages].end_of_pass;

  logic [Lanes*SumBits-1:0] totals;
  for (genvar l = 0; l < int'(Lanes); l++) begin : g_lane
    core_lane i_lane (
        .clk_i,
        .valid_i({valid_q[4:1], issue}),
        .line_i(line_q),
        .delta_i(deltas_q[l*DeltaBits+:DeltaBits]),
        .first_i(flight[4].first),
        .sum_i(sum_data_o[l*SumBits+:SumBits]),
        .total_o(totals[l*SumBits+:SumBits]),
        .write_weight_i(load_weight_i[l] || line_write),
        .weight_address_i(op_q.fill_line && held_q ? line : load_address_i[LineBits-1:0]),
        .weight_data_i(op_q.fill_line && held_q ? line_data_i[l*WeightBits+:WeightBits] :
            load_word_i[(l%Slots)*WeightSlot+:WeightBits]),
        .load_sum_i(load_sum_i[l]),
        .load_data_i(load_word_i[SumBits-1:0])
    );
  end
  core_words i_words (
      .clk_i,
      .read_i(valid_q[2] && (flight[2].first || flight[2].read || flight[2].save)),
      .read_address_i(flight[2].from),
      .word_o(sum_data_o),
      .write_i(valid_q[Stages] && flight[Stages].last),
      .write_address_i(flight[Stages].to),
      .write_data_i(flight[Stages].fill ? fill_data_i : totals)
  );
endmodule
