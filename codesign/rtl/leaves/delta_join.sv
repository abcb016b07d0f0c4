// SPDX-License-Identifier: Apache-2.0
// Function:   located tokens {first_of_stream, has_event, end_of_frame, first row, rest} of several inputs -> one
//             stream of them with the events of all in any order; its end_of_frame rides on the last token of the last
//             input
// Latency:    1 cycle
// Throughput: 1 token per cycle
// Timing:     token_o is a register; combinational ready_i -> ready_o
// Reset:      between frames
// Model:      rtl_tests.bench_join.Joined
// floor_o goes with token_o: no later event of this frame has a first row before it.
// The input with the lowest row goes first, but no input waits for another one: only its end of frame does. So a fork
// whose branches meet here cannot deadlock, whatever the depths of its FIFOs. It does not keep the order of rows:
// delta_conv has a list for every row.
module delta_join #(
    parameter int unsigned Inputs = 2,
    parameter int unsigned RowBits = 1,
    parameter int unsigned RestBits = 1,
    localparam int unsigned TokenBits = 3 + RowBits + RestBits
) (
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic [Inputs-1:0]                valid_i,
    output logic [Inputs-1:0]                ready_o,
    input  logic [Inputs-1:0][TokenBits-1:0] token_i,
    output logic                             valid_o,
    input  logic                             ready_i,
    output logic [TokenBits-1:0]             token_o,
    output logic [RowBits-1:0]               floor_o
);
  if (Inputs < 2) begin : g_bad
    $error("delta_join: Inputs must be at least 2");
  end

  logic enable, take;
  logic started_q;  // a token of this frame has left
  logic first_q;  // a token that did not leave carried first_of_stream
  logic [Inputs-1:0] first_of_stream, has_event, end_of_frame, pick, ended_q, ended;
  logic [Inputs-1:0][RowBits-1:0] row, row_q;  // of the head; of the last event taken in this frame
  logic [Inputs-1:0][RestBits-1:0] rest;
  logic [RowBits-1:0] floor, picked_row;
  logic [RestBits-1:0] picked_rest;
  logic picked_first, picked_event, frame_end;

  for (genvar i = 0; i < Inputs; i++) begin : g_fields
    logic [RowBits-1:0] head_row;
    assign {first_of_stream[i], has_event[i], end_of_frame[i], head_row, rest[i]} = token_i[i];
    assign row[i] = valid_i[i] && has_event[i] ? head_row : row_q[i];
  end

  // The lowest row of the inputs that still run, and of the heads the one with the lowest row.
  always_comb begin
    logic [RowBits-1:0] lowest;
    floor = '1;
    lowest = '1;
    pick = '0;
    for (int unsigned i = 0; i < Inputs; i++) begin
      if (!ended_q[i] && row[i] < floor) floor = row[i];
      if (!ended_q[i] && valid_i[i] && (pick == 0 || row[i] < lowest)) begin
        lowest = row[i];
        pick = Inputs'(1) << i;
      end
    end
  end

  always_comb begin
    {picked_first, picked_event, picked_row, picked_rest} = '0;
    for (int unsigned i = 0; i < Inputs; i++) begin
      if (pick[i]) begin
        picked_first = first_of_stream[i];
        picked_event = has_event[i];
        picked_row = row[i];
        picked_rest = rest[i];
      end
    end
  end

  assign enable = ready_i || !valid_o;
  assign ready_o = enable ? pick : '0;
  assign ended = ended_q | (pick & end_of_frame);
  assign frame_end = &ended;
  assign take = enable && pick != 0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_o   <= 1'b0;
      ended_q   <= '0;
      row_q     <= '0;
      started_q <= 1'b0;
      first_q     <= 1'b0;
    end else begin
      // The end of one input is not passed on while another one runs.
      if (enable) valid_o <= take && (picked_event || frame_end);
      if (take) begin
        ended_q   <= frame_end ? '0 : ended;
        row_q     <= frame_end ? '0 : row;
        started_q <= !frame_end && (started_q || picked_event);
        first_q     <= !frame_end && (first_q || picked_first);
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (take) begin
      token_o <= {(picked_first || first_q) && !started_q, picked_event, frame_end, picked_row, picked_rest};
      floor_o <= floor;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable({token_o, floor_o}));
`endif
endmodule
