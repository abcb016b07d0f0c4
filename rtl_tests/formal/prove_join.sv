// SPDX-License-Identifier: Apache-2.0
// delta_join: the events of all inputs leave, those of one input in their order; the end of the frame is on the last
// token. What a token carries, its rest, holds the number of its input here, so that the tokens that leave tell.
module prove_join #(
    parameter int unsigned Inputs = 2,
    parameter int unsigned RowBits = 2,
    localparam int unsigned NumberBits = $clog2(Inputs),
    localparam int unsigned RestBits = NumberBits + 2,
    localparam int unsigned TokenBits = 3 + RowBits + RestBits
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [Inputs-1:0] valid_i,
    input logic [Inputs-1:0][2:0] flags_i,  // {first_of_stream, has_event, end_of_frame}
    input logic [Inputs-1:0][RowBits-1:0] row_i,
    input logic [Inputs-1:0][1:0] content_i,
    input logic ready_i,
    input logic mark_i
);
  logic valid;
  logic [Inputs-1:0] ready, take, event_taken, end_taken, first_taken, due, ended_q, ended;
  logic [Inputs-1:0][TokenBits-1:0] tokens;
  logic [TokenBits-1:0] token, expected;
  logic [RowBits-1:0] floor, row;
  logic first_q, sent_q, frame_end, event_any;
  logic over;  // the token that is offered ends its frame
  logic [RowBits-1:0] floor_q;  // the highest floor of the tokens of this frame that have left
  logic [TokenBits-1:0] masked;  // of a token without an event only the flags matter

  assume_reset i_reset (.*);
  for (genvar i = 0; i < Inputs; i++) begin : g_input
    logic [RowBits-1:0] row_q;  // of its last event in this frame
    assign tokens[i] = {flags_i[i], row_i[i], NumberBits'(i), content_i[i]};
    assign take[i] = valid_i[i] && ready[i];
    assign {first_taken[i], event_taken[i], end_taken[i]} = {3{take[i]}} & flags_i[i];
    assign due[i] = valid_i[i] && !ended_q[i];
    assume_stream #(
        .Width(TokenBits)
    ) i_source (
        .clk_i,
        .rst_ni,
        .valid_i(valid_i[i]),
        .ready_i(ready[i]),
        .data_i (tokens[i])
    );
    logic head_waits;  // an event that was offered and not taken
    logic [RowBits-1:0] low;  // no later event comes before it
    assign head_waits = i_source.stalled_q && i_source.data_q[TokenBits-2];
    assign low = head_waits ? i_source.data_q[RestBits+:RowBits] : row_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni || frame_end) row_q <= '0;
      else if (event_taken[i]) row_q <= row_i[i];
      m_rows : assume (!valid_i[i] || !flags_i[i][1] || ended_q[i] || row_i[i] >= row_q);
      if (rst_ni) begin
        i_row : assert (ended_q[i] || dut.row_q[i] == row_q || (head_waits && low >= dut.row_q[i]));
        // No later event of this input comes before the floor of a token that has left or is about to.
        i_floor : assert (ended_q[i] || (valid && over) || (low >= floor_q && (!valid || low >= floor)));
      end
    end
  end
  delta_join #(
      .Inputs  (Inputs),
      .RowBits (RowBits),
      .RestBits(RestBits)
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .token_i(tokens),
      .valid_o(valid),
      .ready_i,
      .token_o(token),
      .floor_o(floor)
  );

  // What is due: the events, and the end of the frame, on whatever is taken last.
  assign ended = ended_q | end_taken;
  assign frame_end = ended == '1 && take != '0;
  assign event_any = event_taken != '0;
  assign over = token[TokenBits-3];
  assign masked = token[TokenBits-2] ? token : {token[TokenBits-1-:3], (TokenBits - 3)'(0)};
  assign row = token[RestBits+:RowBits];
  always_comb begin
    expected = '0;
    for (int unsigned i = 0; i < Inputs; i++) begin
      if (event_taken[i]) expected |= tokens[i];
    end
    expected[TokenBits-1-:3] = {(first_q || first_taken != '0) && !sent_q, event_any, frame_end};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {ended_q, first_q, sent_q} <= '0;
      floor_q <= '0;
    end else begin
      ended_q <= frame_end ? '0 : ended;
      first_q <= !frame_end && (first_q || first_taken != '0);
      sent_q  <= !frame_end && (sent_q || event_any);
      if (valid && ready_i) floor_q <= over ? '0 : floor > floor_q ? floor : floor_q;

      a_one_at_a_time : assert ((take & (take - 1'b1)) == '0);
      a_frame : assert ((take & ended_q) == '0);
      a_no_waiting : assert (!(ready_i || !valid) || due == '0 || take != '0);
      a_floor : assert (!valid || !token[TokenBits-2] || row >= floor_q);
      i_state : assert (dut.ended_q == ended_q && dut.first_q == first_q && dut.started_q == sent_q);
      i_running : assert (ended_q != '1);
      i_frame : assert (!valid || !over || (ended_q == '0 && !sent_q && !first_q));
      i_content : assert (!i_stream.marked_o || masked == i_stream.value_o);
      i_valid : assert (valid == (i_stream.inside_o != 0));
      c_frames : cover (ended_q[1] && !ended_q[0] && sent_q && floor_q != 0 && valid);
    end
  end

  check_stream #(
      .Width(TokenBits)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (event_any || frame_end),
      .before_i    ('0),
      .enter_data_i(expected),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (masked),
      .inside_o    (),
      .ahead_o     (),
      .marked_o    (),
      .value_o     ()
  );
endmodule
