// SPDX-License-Identifier: Apache-2.0
// core_lanes with its lanes and words: the model does what each operation says, one after the other, with what its
// memories hold, when the operation is in cycle 4: it neither merges nor knows hazards. One lane is looked at, any one.
module prove_core_lanes
  import core_pkg::*;
  import core_types::*;
#(
    localparam int unsigned Words = SumDepth + CachedWords,
    localparam int unsigned Lines = WeightDepth + CachedLines,
    localparam int unsigned WordBits = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned LineBits = Lines > 1 ? $clog2(Lines) : 1
) (
    input logic clk_i,
    input logic rst_ni,
    input logic op_valid_i,
    input operation_t op_i,
    input logic [Lanes-1:0][DeltaBits-1:0] deltas_i,
    input logic [3:0] gap_i,
    input logic save_ready_i,
    input logic fill_valid_i,
    input logic [Lanes-1:0][SumBits-1:0] fill_data_i,
    input logic line_valid_i,
    input logic [Lanes-1:0][WeightBits-1:0] line_data_i,
    input logic [Lanes-1:0] load_weight_i,
    input logic [Lanes-1:0] load_sum_i,
    input logic [IndexBits-1:0] load_address_i,
    input logic [LoadBits-1:0] load_word_i,
    input logic [7:0] some_lane_i
);
  typedef logic [SumBits-1:0] sum_t;
  typedef logic [WordBits-1:0] word_t;
  localparam int unsigned Slots = 32 / WeightSlot;
  logic op_ready, done, issued, stalled, read, save, fill_ready, line_ready;
  logic [7:0] engine;
  logic [Lanes-1:0][SumBits-1:0] sums;

  assume_reset i_reset (.*);
  core_lanes dut (
      .clk_i,
      .rst_ni,
      .op_valid_i,
      .op_ready_o  (op_ready),
      .op_i,
      .deltas_i,
      .done_o      (done),
      .issued_o    (issued),
      .stalled_o   (stalled),
      .engine_o    (engine),
      .gap_i,
      .read_o      (read),
      .save_o      (save),
      .save_ready_i,
      .sum_data_o  (sums),
      .fill_valid_i,
      .fill_ready_o(fill_ready),
      .fill_data_i,
      .line_valid_i,
      .line_ready_o(line_ready),
      .line_data_i,
      .load_weight_i,
      .load_sum_i,
      .load_address_i,
      .load_word_i
  );
  assume_stream #(
      .Width($bits(operation_t) + Lanes * DeltaBits)
  ) i_operations (
      .clk_i,
      .rst_ni,
      .valid_i(op_valid_i),
      .ready_i(op_ready),
      .data_i ({op_i, deltas_i})
  );
  assume_stream #(
      .Width(Lanes * SumBits)
  ) i_fills (
      .clk_i,
      .rst_ni,
      .valid_i(fill_valid_i),
      .ready_i(fill_ready),
      .data_i (fill_data_i)
  );
  assume_stream #(
      .Width(Lanes * WeightBits)
  ) i_lines (
      .clk_i,
      .rst_ni,
      .valid_i(line_valid_i),
      .ready_i(line_ready),
      .data_i (line_data_i)
  );

  // The operation that waits, and those in cycles 1 to 5. first and last are those of the operation; opens and closes:
  // it reads its first sum, and its total is written: not of additions that are merged.
  typedef struct packed {
    operation_t op;
    logic opens;
    logic closes;
    logic signed [DeltaBits-1:0] delta;
    logic signed [WeightBits-1:0] weight;
  } flight_t;
  logic take, issue, held_q, merge;
  logic clash, fill, filled_q;  // clash: what is issued reads the place of the line; filled: it is written
  flight_t held;  // in cycle 0
  flight_t hold_q;
  logic [5:1] valid_q;
  flight_t flight_q[6];
  logic [7:0] lane_q;
  logic signed [WeightBits-1:0] weights_q[Lines];
  logic signed [WeightBits-1:0] weights[Lines];
  sum_t words_q[Words];
  sum_t words[Words];  // a reset begins with what the leaf's memories hold
  sum_t total_q, base, total;
  logic fresh_q;
  logic given_q;  // the lane's sum of a word that is loaded was the latest that came: total_q
  logic signed [WeightBits+DeltaBits-1:0] product;
  assign take = op_valid_i && op_ready;
  assign issue = held_q && op_ready;
  assign merge = op_valid_i && held_q && op_i.add && hold_q.op.add && op_i.sum == hold_q.op.sum;
  always_comb begin
    held = hold_q;
    held.closes = hold_q.op.last && !merge;
    held.weight = fill ? line_data_i[lane_q] : weights[hold_q.op.line[LineBits-1:0]];
  end
  assign product = flight_q[4].weight * flight_q[4].delta;
  assign base = flight_q[4].op.first ? words[flight_q[4].op.from[WordBits-1:0]] : total_q;
  assign total = base + SumBits'(product);

  // What the leaf has, of the lane.
  sum_t stored[Lanes][Words];
  logic signed [WeightBits-1:0] stored_weights[Lanes][Lines];
  sum_t totals[Lanes];
  logic [Lanes*SumBits-1:0] low, high, rows[Words];
  logic signed [WeightBits-1:0] weight_of[Lanes][4];
  logic signed [DeltaBits-1:0] delta_of[Lanes][4];
  logic signed [WeightBits+DeltaBits-1:0] products[Lanes];
  localparam int unsigned Low = 2 ** $clog2(Words + 1) / 2;
  localparam int unsigned SliceBits = 72;
  for (genvar s = 0; s < int'(Lanes * SumBits + SliceBits - 1) / int'(SliceBits); s++) begin : g_slice
    localparam int unsigned Rest = Lanes * SumBits - s * SliceBits;
    localparam int unsigned Bits = Rest > SliceBits ? SliceBits : Rest;
    assign low[s*SliceBits+:Bits] = dut.i_words.g_slice[s].sums_q;
    assign high[s*SliceBits+:Bits] = dut.i_words.g_slice[s].high_q;
    for (genvar w = 0; w < int'(Words); w++) begin : g_word
      if (w < int'(Low)) begin : g_low
        assign rows[w][s*SliceBits+:Bits] = dut.i_words.g_slice[s].sums[w];
      end else begin : g_high
        assign rows[w][s*SliceBits+:Bits] = dut.i_words.g_slice[s].g_high.high[w-Low];
      end
    end
  end
  for (genvar l = 0; l < int'(Lanes); l++) begin : g_lane
    assign totals[l] = dut.g_lane[l].i_lane.total_o;
    assign products[l] = dut.g_lane[l].i_lane.product_q;
    assign {weight_of[l][1], delta_of[l][1]} = {stored_weights[l][dut.line_q], dut.g_lane[l].i_lane.delta_q};
    assign {weight_of[l][2], delta_of[l][2]} = {dut.g_lane[l].i_lane.weight_q, dut.g_lane[l].i_lane.delta_q2};
    assign {weight_of[l][3], delta_of[l][3]} = {dut.g_lane[l].i_lane.weight_q2, dut.g_lane[l].i_lane.delta_q3};
    for (genvar w = 0; w < int'(Words); w++) begin : g_word
      assign stored[l][w] = rows[w][l*SumBits+:SumBits];
    end
    for (genvar w = 0; w < int'(Lines); w++) begin : g_line
      assign stored_weights[l][w] = dut.g_lane[l].i_lane.weights[w];
    end
  end
  for (genvar w = 0; w < int'(Words); w++) begin : g_word
    assign words[w] = fresh_q ? stored[lane_q][w] : words_q[w];
  end
  for (genvar w = 0; w < int'(Lines); w++) begin : g_line
    assign weights[w] = fresh_q ? stored_weights[lane_q][w] : weights_q[w];
  end

  // Whether an operation may come after others: open: an addition is to come to `at`; merged: as the very next one.
  typedef struct packed {
    logic open;
    logic merged;
    word_t at;
  } order_t;
  function automatic logic reads(input operation_t op, input logic first);
    reads = first || op.read || op.save;
  endfunction
  function automatic logic follows(input order_t order, input operation_t op);
    follows = op.add ? op.first == !order.open && (!order.open || op.sum[WordBits-1:0] == order.at) :
        !order.open || (!op.first && !(op.last && op.sum[WordBits-1:0] == order.at));
    if (order.open && (op.read || op.save)) follows &= op.from[WordBits-1:0] != order.at;
  endfunction
  function automatic logic right(input order_t order, input flight_t flight);  // of one that was issued
    right = follows(order, flight.op) && formed(flight.op) &&
        flight.opens == (flight.op.first && !order.merged) && (flight.closes == flight.op.last || flight.op.add) &&
        (flight.op.last || !flight.closes) && (flight.op.add || flight.delta == '0) &&
        (!order.merged || (flight.op.add && flight.op.first && flight.op.sum[WordBits-1:0] == order.at));
  endfunction
  function automatic order_t after(input order_t order, input flight_t flight);
    after = order;
    if (flight.op.add) after = '{
        open: !flight.op.last,
        merged: flight.op.last && !flight.closes,
        at: flight.op.sum[WordBits-1:0]
    };
  endfunction
  function automatic logic formed(input operation_t op);
    formed = (32'(op.sum) < Words || !(op.add || op.last)) && (32'(op.from) < Words || !reads(op, op.first)) &&
        (32'(op.line) < Lines || !op.add);
    if (op.add) formed &= !(op.copy || op.fill || op.end_of_pass);
    else formed &= op.first == op.copy && op.last == (op.copy || op.fill) && !op.fill_line;
    if (op.add && op.first) formed &= op.from == op.sum;
    if (op.first) formed &= !(op.read || op.save);
    if (op.copy) formed &= !op.fill;
    if (op.end_of_pass) formed &= !(op.copy || op.read || op.save || op.fill);
    if (op.fill) formed &= !(op.read || op.save);
  endfunction
  order_t came_q, done_q;  // after what was taken; after what has left cycle 4
  order_t order;
  logic in_order;
  always_comb begin
    order = done_q;
    in_order = 1'b1;
    for (int unsigned s = 4; s >= 1; s--) begin
      if (valid_q[s]) begin
        in_order &= right(order, flight_q[s]);
        order = after(order, flight_q[s]);
      end
    end
    if (held_q) begin
      in_order &= right(order, hold_q);
      order = after(order, hold_q);
    end
  end

  // A word is read in cycle 2 and written in cycle 5: what is in 1, 2 and 3 when it is issued is written too late.
  logic hazard, clear, busy;
  always_comb begin
    hazard = 1'b0;
    for (int unsigned s = 1; s <= 3; s++) begin
      hazard |= valid_q[s] && flight_q[s].closes && flight_q[s].op.sum == hold_q.op.from;
    end
    hazard &= reads(hold_q.op, hold_q.op.first);
    clear = 1'b1;
    for (int unsigned s = 1; s <= 3; s++) begin
      for (int unsigned t = s + 1; t <= s + 3 && t <= 5; t++) begin
        if (valid_q[s] && valid_q[t] && reads(flight_q[s].op, flight_q[s].opens)) begin
          clear &= !(flight_q[t].closes && flight_q[t].op.sum == flight_q[s].op.from);
        end
      end
    end
  end
  logic saving;
  logic [5:1] fills;
  logic filling;
  logic [3:0] gap_q;  // cycles until a word for core_fetch may be issued
  always_comb begin
    saving = 1'b0;
    for (int unsigned s = 1; s <= 4; s++) saving |= valid_q[s] && flight_q[s].op.save;
    for (int unsigned s = 1; s <= 5; s++) fills[s] = valid_q[s] && flight_q[s].op.fill;
  end
  assign filling = fills != '0;
  assign clash = valid_q[1] && flight_q[1].op.line[LineBits-1:0] == hold_q.op.line[LineBits-1:0];
  assign busy = (hold_q.op.read && gap_q != 0) || (hold_q.op.save && (saving || !save_ready_i)) ||
      (hold_q.op.fill && (filling || !fill_valid_i)) || (hold_q.op.fill_line && !filled_q && !fill);
  assign fill = held_q && hold_q.op.fill_line && !filled_q && !clash && line_valid_i;

  logic past_q = 1'b0;
  logic done_due_q;
  logic [2:0] waits_q;
  logic matched;
  always_comb begin
    matched = 1'b1;
    for (int unsigned w = 0; w < Words; w++) begin
      if (!(done_q.open && 32'(done_q.at) == w)) begin
        matched &= words[w] == (valid_q[5] && flight_q[5].closes && 32'(flight_q[5].op.sum) == w ?
            (flight_q[5].op.fill ? fill_data_i[lane_q] : totals[lane_q]) :
            done_q.merged && 32'(done_q.at) == w ? total_q : stored[lane_q][w]);
      end
    end
  end
  logic weights_matched;
  always_comb begin
    weights_matched = 1'b1;
    for (int unsigned w = 0; w < Lines; w++) weights_matched &= weights[w] == stored_weights[lane_q][w];
  end
  logic same;  // what is in flight
  always_comb begin
    same = dut.valid_q == valid_q;
    for (int unsigned s = 1; s <= 5; s++) begin
      if (valid_q[s]) begin
        same &= dut.flight[s] == {flight_q[s].op.end_of_pass, flight_q[s].op.read, flight_q[s].op.save,
                                  flight_q[s].op.fill, flight_q[s].opens, flight_q[s].closes,
                                  flight_q[s].op.from[WordBits-1:0], flight_q[s].op.sum[WordBits-1:0]};
      end
    end
    for (int unsigned s = 1; s <= 3; s++) begin
      if (valid_q[s]) begin
        same &= (weight_of[lane_q][s] == flight_q[s].weight || !flight_q[s].op.add) &&
            delta_of[lane_q][s] == flight_q[s].delta;
      end
    end
    if (valid_q[4]) same &= products[lane_q] == product;
  end

  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) lane_q <= some_lane_i;
    m_lane : assume (!past_q || 32'(lane_q) < Lanes);
    m_formed : assume (!op_valid_i || formed(op_i));
    m_follows : assume (!op_valid_i || follows(came_q, op_i));
    m_load : assume ((load_sum_i == '0 && load_weight_i == '0) || (!op_valid_i && !held_q && valid_q[4:1] == '0));
    m_load_sum : assume (load_sum_i == '0 || (!came_q.open && $onehot(load_sum_i)));
    m_whole : assume (!load_sum_i[Lanes-1] || load_sum_i[lane_q] || given_q);
    m_address : assume ((load_sum_i == '0 || 32'(load_address_i) < Words) &&
                        (load_weight_i == '0 || 32'(load_address_i) < Lines));

    fresh_q <= !rst_ni;
    for (int unsigned w = 0; w < Words; w++) words_q[w] <= words[w];
    for (int unsigned w = 0; w < Lines; w++) weights_q[w] <= weights[w];
    if (load_sum_i[Lanes-1]) begin
      words_q[load_address_i[WordBits-1:0]] <= load_sum_i[lane_q] ? SumBits'(load_word_i) : total_q;
    end
    if (load_weight_i[lane_q]) begin
      weights_q[load_address_i[LineBits-1:0]] <=
          WeightBits'(load_word_i >> (32'(lane_q) % Slots) * WeightSlot);
    end
    if (!rst_ni) {held_q, filled_q, valid_q, came_q, done_q, gap_q, done_due_q, waits_q, given_q} <= '0;
    else begin
      if (op_ready) held_q <= op_valid_i;
      if (take) begin
        came_q <= after(came_q, '{op: op_i, opens: 1'b0, closes: op_i.last, delta: '0, weight: '0});
        hold_q <= '{
            op: op_i,
            opens: op_i.first && !merge,
            closes: op_i.last,
            delta: op_i.add ? deltas_i[lane_q] : '0,
            weight: '0
        };
      end
      valid_q <= {valid_q[4:1], issue};
      flight_q[1] <= held;
      for (int unsigned s = 2; s <= 5; s++) flight_q[s] <= flight_q[s-1];
      if (valid_q[4]) begin
        total_q <= total;
        done_q  <= after(done_q, flight_q[4]);
        if (flight_q[4].op.last) begin
          words_q[flight_q[4].op.sum[WordBits-1:0]] <= flight_q[4].op.fill ? fill_data_i[lane_q] : total;
        end
      end
      given_q <= !op_valid_i && (given_q || load_sum_i[lane_q]) && !load_sum_i[Lanes-1];
      if (load_sum_i[lane_q]) total_q <= SumBits'(load_word_i);
      if (load_sum_i[Lanes-1]) begin  // as if it were a copy
        valid_q[5] <= 1'b1;
        flight_q[5] <= '{
            op: '{copy: 1'b1, first: 1'b1, last: 1'b1, sum: load_address_i, default: '0},
            opens: 1'b0,
            closes: 1'b1,
            delta: '0,
            weight: '0
        };
      end
      filled_q <= !op_ready && (filled_q || fill);
      if (fill) weights_q[hold_q.op.line[LineBits-1:0]] <= line_data_i[lane_q];
      gap_q <= issue && hold_q.op.read ? gap_i : gap_q - 4'(gap_q != 0);
      done_due_q <= valid_q[5] && flight_q[5].op.end_of_pass;
      waits_q <= held_q && !op_ready && !busy ? waits_q + 1'b1 : '0;

      a_sum : assert (!(read || save) || sums[lane_q] == words[flight_q[4].op.from[WordBits-1:0]]);
      a_first : assert (!valid_q[4] || !flight_q[4].opens ||
                        sums[lane_q] == words[flight_q[4].op.from[WordBits-1:0]]);
      a_total : assert (!valid_q[5] || !flight_q[5].op.last || flight_q[5].op.fill || totals[lane_q] == total_q);
      a_apart : assert (!valid_q[2] || !valid_q[5] || !reads(flight_q[2].op, flight_q[2].opens) ||
                        !flight_q[5].closes || flight_q[2].op.from != flight_q[5].op.sum);
      a_read : assert (read == (valid_q[4] && flight_q[4].op.read) && save == (valid_q[4] && flight_q[4].op.save));
      a_fill : assert (fill_ready == (valid_q[5] && flight_q[5].op.fill) && (!fill_ready || fill_valid_i));
      a_line : assert (line_ready == fill && (!issue || !hold_q.op.fill_line || fill || filled_q));
      a_place : assert (!line_ready || !valid_q[1] || !flight_q[1].op.add ||
                        flight_q[1].op.line[LineBits-1:0] != hold_q.op.line[LineBits-1:0]);
      a_busy : assert (!issue || !busy);
      a_issue : assert (!held_q || op_ready || busy || hazard);
      a_waits : assert (waits_q <= 3);
      a_done : assert (done == done_due_q);
      a_count : assert (issued == (issue && hold_q.op.add) && stalled == (held_q && !op_ready) &&
                        (!held_q || engine == hold_q.op.engine));
      i_held : assert (dut.held_q == held_q && (!held_q ||
                       dut.deltas_q[32'(lane_q)*DeltaBits+:DeltaBits] == hold_q.delta));
      i_op : assert (!held_q || (dut.op_q.first == hold_q.opens && dut.op_q.last == hold_q.op.last &&
                     {dut.op_q.end_of_pass, dut.op_q.add, dut.op_q.read, dut.op_q.save, dut.op_q.fill,
                      dut.op_q.fill_line, dut.op_q.sum, dut.op_q.from, dut.op_q.line, dut.op_q.engine} ==
                     {hold_q.op.end_of_pass, hold_q.op.add, hold_q.op.read, hold_q.op.save, hold_q.op.fill,
                      hold_q.op.fill_line, hold_q.op.sum, hold_q.op.from, hold_q.op.line, hold_q.op.engine}));
      i_same : assert (same);
      i_order : assert (in_order && (!held_q || hold_q.closes == hold_q.op.last) && order.open == came_q.open &&
                        (!came_q.open || order.at == came_q.at) && !came_q.merged && !(done_q.open && done_q.merged));
      i_5 : assert (!valid_q[5] || (formed(flight_q[5].op) && (flight_q[5].op.last || !flight_q[5].closes) &&
                    (flight_q[5].op.add ? done_q == after(done_q, flight_q[5]) :
                     flight_q[5].closes == flight_q[5].op.last && !done_q.merged)));
      i_merged : assert (!order.merged);
      i_clear : assert (clear && (!held_q || (dut.hazard_q != '0) == hazard));
      i_hazards : assert (!held_q || dut.hazard_q == (reads(hold_q.op, hold_q.op.first) ? {
          valid_q[3] && flight_q[3].closes && flight_q[3].op.sum == hold_q.op.from,
          valid_q[2] && flight_q[2].closes && flight_q[2].op.sum == hold_q.op.from,
          valid_q[1] && flight_q[1].closes && flight_q[1].op.sum == hold_q.op.from} : '0));
      i_total : assert (totals[lane_q] == total_q || !(done_q.open || done_q.merged || given_q ||
                        (valid_q[5] && flight_q[5].op.last && !flight_q[5].op.fill)));
      i_given : assert (!given_q || (!came_q.open && !held_q && valid_q[4:1] == '0));
      i_words : assert (matched && weights_matched);
      i_3 : assert (!valid_q[3] || !reads(flight_q[3].op, flight_q[3].opens) ||
                    SumBits'((dut.i_words.read_high_q ? high : low) >> 32'(lane_q) * SumBits) ==
                    words[flight_q[3].op.from[WordBits-1:0]]);
      i_waits : assert (dut.saving_q == saving && dut.filling_q == filling && dut.gap_q == gap_q &&
                        dut.gap_busy_q == (gap_q != 0) &&
                        (!held_q || (dut.clash_q == clash && dut.written_q == filled_q)) &&
                        (!valid_q[1] || dut.line_q == flight_q[1].op.line[LineBits-1:0]));
      i_fill : assert ((!filling || fill_valid_i) && $onehot0(fills));
      i_hazard_time : assert (waits_q == 0 || !held_q || !hazard || 32'(waits_q) <=
                              (dut.hazard_q[1] ? 0 : dut.hazard_q[2] ? 1 : 2));
      c_merged : cover (valid_q[5] && flight_q[5].op.add && flight_q[5].op.last && !flight_q[5].closes && valid_q[4] &&
                        flight_q[4].op.add && flight_q[4].closes && total != total_q && total_q != words[0]);
      c_hazard : cover (waits_q == 3 && issue && hold_q.op.read);
      c_rides : cover (read && flight_q[4].op.add && !flight_q[4].op.last && product != 0);
      c_outside : cover (save && valid_q[1] && flight_q[1].op.fill && held_q && hold_q.op.fill_line);
    end
  end
endmodule
