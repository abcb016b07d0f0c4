// SPDX-License-Identifier: Apache-2.0
// What a stream that leaves must be, for the tokens that entered: data_i is what must come out for one of them. One
// token is marked, any one: mark_i is free. What holds for it holds for every token, so the order is kept, nothing is
// lost, doubled or made up. Tokens that a leaf drops do not count as entered. Several may enter in a cycle; before_i
// of them are before the one that enter_data_i is of.
module check_stream #(
    parameter int unsigned Width = 1,
    parameter int unsigned Most = 1,  // tokens that may be inside
    parameter int unsigned Enter = 1,  // most tokens that enter in a cycle
    parameter int unsigned Patience = 0,  // most cycles in which something is inside and nothing is offered
    parameter bit Bounded = 1'b1,  // Patience is asserted
    parameter bit Full = 1'b1,  // Most tokens can be inside, and no more
    localparam int unsigned EnterWidth = $clog2(Enter + 1),
    localparam int unsigned CountWidth = $clog2(Most + Enter + 1)
) (
    input  logic                  clk_i,
    input  logic                  rst_ni,
    input  logic [EnterWidth-1:0] enter_i,
    input  logic [EnterWidth-1:0] before_i,
    input  logic [     Width-1:0] enter_data_i,
    input  logic                  mark_i,
    input  logic                  valid_i,
    input  logic                  ready_i,
    input  logic [     Width-1:0] data_i,
    output logic [CountWidth-1:0] inside_o,  // tokens that have entered and not left
    output logic [CountWidth-1:0] ahead_o,  // of these, the ones before the marked one
    output logic                  marked_o,
    output logic [     Width-1:0] value_o  // of the marked one
);
  localparam int unsigned LateWidth = $clog2(Patience + 2);
  logic leave, stalled_q;
  logic [Width-1:0] data_q;
  logic [LateWidth-1:0] late_q;
  logic [CountWidth-1:0] rest;
  assign leave = valid_i && ready_i;
  assign rest  = inside_o - CountWidth'(leave);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inside_o <= '0;
      marked_o <= 1'b0;
      stalled_q <= 1'b0;
      late_q <= '0;
    end else begin
      inside_o <= rest + CountWidth'(enter_i);
      if (before_i < enter_i && mark_i && !marked_o) begin
        marked_o <= 1'b1;
        ahead_o <= rest + CountWidth'(before_i);
        value_o <= enter_data_i;
      end else if (marked_o && leave) begin
        marked_o <= ahead_o != 0;
        ahead_o <= ahead_o - 1'b1;
      end
      stalled_q <= valid_i && !ready_i;
      late_q <= Bounded && inside_o != 0 && !valid_i ? late_q + 1'b1 : '0;

      a_only_what_entered : assert (!valid_i || inside_o != 0);
      a_order : assert (!marked_o || !valid_i || ahead_o != 0 || data_i == value_o);
      a_stable : assert (!stalled_q || (valid_i && data_i == data_q));
      i_marked : assert (!marked_o || ahead_o < inside_o);
      i_late : assert (32'(late_q) <= Patience);
      c_full : cover (!Full || (32'(inside_o) == Most && marked_o && 32'(ahead_o) == Most - 1));
      c_left : cover (marked_o && leave && ahead_o == 0 && stalled_q);
    end
    data_q <= data_i;
  end
  if (Bounded) begin : g_progress
    always_ff @(posedge clk_i) begin
      if (rst_ni) a_progress : assert (inside_o == 0 || valid_i || 32'(late_q) < Patience);
    end
  end
  if (Full) begin : g_room
    always_ff @(posedge clk_i) begin
      if (rst_ni) a_none_lost : assert (32'(inside_o) <= Most);
    end
  end
endmodule
