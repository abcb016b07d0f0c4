// SPDX-License-Identifier: Apache-2.0
// Function:   for each word with a change, and each of its readers: index = position * divisor + remainder, position =
//             row * columns + column, and the table entries of the row and the column. The index is the word's, or that
//             of each changed element, one after the other
// Latency:    from a word to its first located event: 9 cycles and two of core_divide
// Throughput: 1 event per cycle; a word for another reader than the one before takes 1 cycle more
// Timing:     every stage moves when the one after it is free; the tables have registers at both sides
// Reset:      no word in flight
// Model:      codesign.core.interpret
// Events that reach nothing leave only as the last one of their word, which frees its deltas. It does not say which
// sums an event reaches: core_walk does.
module core_place
  import core_pkg::*;
  import core_types::*;
(
    input  logic                   clk_i,
    input  logic                   rst_ni,
    input  logic            [ 7:0] reader_base_i,   // stable while a word is inside, and a cycle before
    input  logic            [ 7:0] readers_i,
    input  logic                   valid_i,
    output logic                   ready_o,
    input  changed_t               changed_i,
    output logic                   valid_o,
    input  logic                   ready_i,
    output located_t               event_o,
    input  logic                   load_place_i,
    input  logic                   load_table_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic   [IndexBits-1:0] load_address_i,
    // verilator lint_on UNUSEDSIGNAL
    input  place_t                 load_place_data_i,
    input  table_t                 load_table_data_i
);
  localparam int unsigned PlaceAddressBits = PlaceDepth > 1 ? $clog2(PlaceDepth) : 1;
  localparam int unsigned TableAddressBits = TableDepth > 1 ? $clog2(TableDepth) : 1;
  if (PlaceDepth > 256) begin : g_bad
    $error("core_place: at most 256 readers");
  end

  typedef logic [IndexBits-1:0] index_t;

  // A word, and the reader whose turn it is. known_q: place_q is the record of reader_q. It comes late in its
  // cycle, so element_q has a memory of its own. none_q: no readers; skip_q:
  // the end of a pass, or a word for none. last_*_q: they have only one turn more.
  (* no_rw_check *) place_t places[PlaceDepth];
  (* ram_style = "distributed" *) logic elements[PlaceDepth];
  // verilator lint_off UNUSEDSIGNAL
  place_t place_q;
  // verilator lint_on UNUSEDSIGNAL
  logic [PlaceAddressBits-1:0] record;
  changed_t word_q;
  logic busy_q, known_q, fetch_q, none_q, skip_q, issue, move, last_lane, next_word;
  logic element_q, last_lane_q, one_lane_q, last_reader_q;
  logic [7:0] reader_q, most_reader_q;
  logic [LaneBits:0] lanes_in, left_q, most_left_q;  // lanes after this one
  logic [Lanes-1:0] lanes_q, rest;
  logic [LaneBits-1:0] lane;

  always_ff @(posedge clk_i) begin
    if (load_place_i) places[load_address_i[PlaceAddressBits-1:0]] <= load_place_data_i;
    if (load_place_i) elements[load_address_i[PlaceAddressBits-1:0]] <= load_place_data_i.element;
    if (fetch_q) {place_q, element_q} <= {places[record], elements[record]};
  end

  always_comb begin
    lane = '0;
    for (int l = int'(Lanes) - 1; l >= 0; l--) if (lanes_q[l]) lane = LaneBits'(l);
    rest = lanes_q & (lanes_q - 1'b1);
    lanes_in = '1;
    for (int l = 0; l < int'(Lanes); l++) lanes_in += (LaneBits + 1)'(changed_i.mask[l]);
  end
  assign record = PlaceAddressBits'(reader_base_i + reader_q);
  assign last_lane = !element_q || last_lane_q;
  assign issue = busy_q && (known_q || skip_q);
  assign next_word = busy_q && move && (skip_q || (known_q && last_reader_q && last_lane));
  assign ready_o = !busy_q || next_word;

  always_ff @(posedge clk_i) begin
    most_reader_q <= readers_i - 8'd1;
    none_q <= readers_i == '0;
    if (!rst_ni) {busy_q, known_q, fetch_q} <= '0;
    else begin
      fetch_q <= 1'b0;
      if (fetch_q) known_q <= 1'b1;
      if (ready_o) begin
        busy_q <= valid_i;
        reader_q <= '0;
        last_reader_q <= most_reader_q == '0;
        if (valid_i && !(known_q && reader_q == '0 && busy_q && !word_q.end_of_pass)) begin
          known_q <= 1'b0;
          fetch_q <= !changed_i.end_of_pass;
        end
      end else if (issue && move && last_lane) begin
        reader_q <= reader_q + 1'b1;
        last_reader_q <= reader_q + 1'b1 == most_reader_q;
        known_q <= 1'b0;
        fetch_q <= 1'b1;
      end
    end
    if (ready_o) begin
      {word_q, lanes_q} <= {changed_i, changed_i.mask};
      {left_q, most_left_q} <= {2{lanes_in}};
      {last_lane_q, one_lane_q} <= {2{lanes_in == '0}};
      skip_q <= changed_i.end_of_pass || none_q;
    end else if (issue && move) begin
      lanes_q <= last_lane ? word_q.mask : rest;
      left_q <= last_lane ? most_left_q : left_q - 1'b1;
      last_lane_q <= last_lane ? one_lane_q : left_q == (LaneBits + 1)'(1);
    end
  end

  // Stages 1 and 2: the index.
  typedef struct packed {
    logic end_of_pass;
    logic none;  // no reader
    logic free;
    logic [7:0] walk;
    logic [Lanes-1:0] mask;
    logic element;
    index_t columns;
    logic [IndexBits:0] column_recip;
    logic [5:0] column_shift;
    index_t row_table;
    index_t column_table;
  } carried_t;
  typedef struct packed {
    index_t divisor;
    logic [IndexBits:0] recip;
    logic [5:0] rshift;
  } divide_t;
  typedef struct packed {
    carried_t carried;
    divide_t divide;
    index_t word;
    logic [6:0] used;
    logic [LaneBits-1:0] lane;
  } issued_t;
  issued_t issued, issued_q1;
  carried_t carried_q2;
  divide_t divide_q2;
  index_t product_q2, index_q2;
  logic [LaneBits-1:0] lane_q2;
  logic valid_q1, valid_q2, move2, divide_ready;

  assign issued.carried = '{
          end_of_pass: word_q.end_of_pass,
          none: none_q,
          free: skip_q || (last_reader_q && last_lane),
          walk: reader_base_i + reader_q,
          mask: element_q && !none_q ? Lanes'(1) << lane : word_q.mask,
          element: element_q,
          columns: place_q.columns,
          column_recip: place_q.column_recip,
          column_shift: place_q.column_shift,
          row_table: place_q.row_table,
          column_table: place_q.column_table
      };
  assign issued.divide = '{divisor: place_q.divisor, recip: place_q.recip, rshift: place_q.rshift};
  assign {issued.word, issued.used, issued.lane} = {word_q.word, place_q.used, lane};
  delta_fifo #(  // what the dividers wait for ends here
      .Width($bits(issued_t)),
      .Depth(1)
  ) i_issued (
      .clk_i,
      .rst_ni,
      .valid_i(issue),
      .ready_o(move),
      .data_i (issued),
      .valid_o(valid_q1),
      .ready_i(move2),
      .data_o (issued_q1)
  );
  assign move2 = !valid_q2 || divide_ready;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q2 <= 1'b0;
    else if (move2) valid_q2 <= valid_q1;
    if (move2) begin
      {carried_q2, divide_q2} <= {issued_q1.carried, issued_q1.divide};
      product_q2 <= issued_q1.carried.element ? issued_q1.word * index_t'(issued_q1.used) : issued_q1.word;
      lane_q2 <= issued_q1.carried.element ? issued_q1.lane : '0;
    end
  end
  assign index_q2 = product_q2 + index_t'(lane_q2);

  // Position and remainder; row and column.
  // verilator lint_off UNUSEDSIGNAL
  typedef struct packed {
    index_t position;
    index_t remainder;
    carried_t carried;
  } at_t;
  at_t divided, at;
  carried_t carried_spot;
  // verilator lint_on UNUSEDSIGNAL
  logic divided_valid, divided_ready, at_valid, at_ready, spot_valid, next;
  index_t remainder_spot, row, column;
  core_divide #(
      .Width($bits(carried_t))
  ) i_position (
      .clk_i,
      .rst_ni,
      .valid_i(valid_q2),
      .ready_o(divide_ready),
      .index_i(index_q2),
      .recip_i(divide_q2.recip),
      .shift_i(divide_q2.rshift),
      .divisor_i(divide_q2.divisor),
      .payload_i(carried_q2),
      .valid_o(divided_valid),
      .ready_i(divided_ready),
      .quotient_o(divided.position),
      .remainder_o(divided.remainder),
      .payload_o(divided.carried)
  );
  delta_fifo #(
      .Width($bits(at_t)),
      .Depth(1)
  ) i_spots (
      .clk_i,
      .rst_ni,
      .valid_i(divided_valid),
      .ready_o(divided_ready),
      .data_i (divided),
      .valid_o(at_valid),
      .ready_i(at_ready),
      .data_o (at)
  );
  core_divide #(
      .Width(IndexBits + $bits(carried_t))
  ) i_row (
      .clk_i,
      .rst_ni,
      .valid_i(at_valid),
      .ready_o(at_ready),
      .index_i(at.position),
      .recip_i(at.carried.column_recip),
      .shift_i(at.carried.column_shift),
      .divisor_i(at.carried.columns),
      .payload_i({at.remainder, at.carried}),
      .valid_o(spot_valid),
      .ready_i(next),
      .quotient_o(row),
      .remainder_o(column),
      .payload_o({remainder_spot, carried_spot})
  );

  // Stages 3 to 5: addresses and contents of the tables, which come late in their cycle. 6: what they say. All move
  // together.
  (* no_rw_check *) table_t rows[TableDepth];
  (* no_rw_check *) table_t columns[TableDepth];
  table_t row_q4, column_q4;
  logic [TableAddressBits-1:0] row_address_q3, column_address_q3;
  located_t located_q3, located_q4, located_q5;
  logic [5:3] null_q, valid_q;  // null: no reader
  logic hit;

  always_ff @(posedge clk_i) begin
    if (load_table_i) rows[load_address_i[TableAddressBits-1:0]] <= load_table_data_i;
    if (load_table_i) columns[load_address_i[TableAddressBits-1:0]] <= load_table_data_i;
  end
  assign hit = !null_q[5] && located_q5.row.count != '0 && located_q5.column.count != '0;
  assign next = ready_i || !valid_o;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {valid_o, valid_q} <= '0;
    else if (next) begin
      valid_q <= {valid_q[4:3], spot_valid};
      valid_o <= valid_q[5] && (located_q5.free || hit);  // the end of a pass is free
    end
    if (next) begin
      row_address_q3 <= TableAddressBits'(carried_spot.row_table + row);
      column_address_q3 <= TableAddressBits'(carried_spot.column_table + column);
      null_q <= {null_q[4:3], carried_spot.none};
      located_q3 <= '{
          end_of_pass: carried_spot.end_of_pass,
          hit: 1'b0,
          free: carried_spot.free,
          walk: carried_spot.walk,
          mask: carried_spot.mask,
          element: carried_spot.element,
          remainder: remainder_spot,
          row: '0,
          column: '0
      };
      located_q4 <= located_q3;
      {row_q4, column_q4} <= {rows[row_address_q3], columns[column_address_q3]};
      located_q5 <= located_q4;
      located_q5.row <= row_q4;
      located_q5.column <= column_q4;
      event_o <= located_q5;
      event_o.hit <= hit;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_event :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(event_o));
`endif
endmodule
