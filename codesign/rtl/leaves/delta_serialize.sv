// SPDX-License-Identifier: Apache-2.0
// Function:   word tokens of {mask, deltas} -> event tokens {first_of_stream, has_event, end_of_frame, address, delta},
//             one for each set mask bit, lowest lane first, address = word * Lanes + lane; end_of_frame rides on the
//             last event of the last word if it has one; first_of_stream on the first token of a stream
// Latency:    2 cycles when empty
// Throughput: 1 event per cycle; unchanged words without flags are dropped before the FIFO at 1 per cycle
// Timing:     ready_o is a register: when the FIFO is full, unchanged words wait too
// Reset:      empty, between frames
// Model:      rtl_tests.models.serialize
// Depth (words) lets the scan run ahead while events leave; it costs distributed RAM.
module delta_serialize #(
    parameter int unsigned Size = 1,  // elements of a frame
    parameter int unsigned Lanes = 1,
    parameter int unsigned DeltaWidth = 9,
    parameter int unsigned Depth = 16,
    localparam int unsigned Words = (Size + Lanes - 1) / Lanes,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned AddressWidth = Size > 1 ? $clog2(Size) : 1,
    localparam int unsigned DataWidth = Lanes * (DeltaWidth + 1)
) (
    input  logic                                 clk_i,
    input  logic                                 rst_ni,
    input  logic                                 valid_i,
    output logic                                 ready_o,
    input  logic [    3+WordWidth+DataWidth-1:0] token_i,
    output logic                                 valid_o,
    input  logic                                 ready_i,
    output logic [3+AddressWidth+DeltaWidth-1:0] token_o
);
  if (Size < 1 || Lanes < 1) begin : g_bad
    $error("delta_serialize: Size and Lanes must be at least 1");
  end

  localparam int unsigned QueueWidth = 2 + WordWidth + DataWidth;

  // Drop: words without changes and flags do not enter the queue.
  logic word_first, has_word, end_of_frame, first_of_stream, keep;
  logic [WordWidth-1:0] word;
  logic [Lanes-1:0] mask;
  logic [Lanes*DeltaWidth-1:0] deltas;
  logic started_q;  // a word of this frame was kept or dropped
  logic first_q;  // a dropped word carried first_of_stream
  assign {word_first, has_word, end_of_frame, word, mask, deltas} = token_i;
  assign first_of_stream = first_q || (has_word && word_first && !started_q);
  assign keep = mask != 0 || end_of_frame;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      started_q <= 1'b0;
      first_q <= 1'b0;
    end else if (valid_i && ready_o) begin
      started_q <= !end_of_frame;
      first_q <= first_of_stream && !keep;
    end
  end

  logic head_valid, head_ready, head_first, head_end;
  logic [WordWidth-1:0] head_word;
  logic [Lanes-1:0] head_mask;
  logic [Lanes*DeltaWidth-1:0] head_deltas;
  delta_fifo #(
      .Width(QueueWidth),
      .Depth(Depth)
  ) i_queue (
      .clk_i,
      .rst_ni,
      .valid_i(valid_i && keep),
      .ready_o,
      .data_i ({first_of_stream, end_of_frame, word, mask, deltas}),
      .valid_o(head_valid),
      .ready_i(head_ready),
      .data_o ({head_first, head_end, head_word, head_mask, head_deltas})
  );

  // Serialise: the lowest set bit leaves each cycle; the next word is loaded in the cycle of the last one. The bits
  // above the lowest one are in a register, so that no search lies between ready_i and the queue.
  logic first_q2, end_q, last_q;
  logic [AddressWidth-1:0] base_q, lane;
  logic [Lanes-1:0] mask_q, rest_q, lowest;
  logic [Lanes*DeltaWidth-1:0] deltas_q;
  logic [DeltaWidth-1:0] delta;
  assign lowest = mask_q & ~rest_q;
  assign head_ready = !valid_o || (ready_i && last_q);
  assign token_o = {first_q2, mask_q != 0, end_q && last_q, base_q + lane, delta};

  function automatic logic [Lanes-1:0] above_lowest(input logic [Lanes-1:0] bits);
    above_lowest = bits & (bits - 1'b1);
  endfunction

  // More than one bit is set: a tree, where above_lowest == 0 would wait for a carry.
  function automatic logic several(input logic [Lanes-1:0] bits);
    logic [Lanes-1:0] any, two;
    any = bits;
    two = '0;
    for (int unsigned span = 1; span < Lanes; span = 2 * span) begin
      for (int unsigned i = 0; i + span < Lanes; i = i + 2 * span) begin
        two[i] = two[i] | two[i+span] | (any[i] & any[i+span]);
        any[i] = any[i] | any[i+span];
      end
    end
    several = two[0];
  endfunction

  always_comb begin
    lane  = '0;
    delta = '0;
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (lowest[i]) begin
        lane  = lane | AddressWidth'(i);
        delta = delta | deltas_q[i*DeltaWidth+:DeltaWidth];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (head_ready ? head_valid : ready_i) begin
      mask_q <= head_ready ? head_mask : rest_q;
      rest_q <= head_ready ? above_lowest(head_mask) : above_lowest(rest_q);
      last_q <= head_ready ? !several(head_mask) : !several(rest_q);
      first_q2 <= head_ready && head_first;
    end
    if (head_ready && head_valid) begin
      base_q <= AddressWidth'(head_word * Lanes);
      deltas_q <= head_deltas;
      end_q <= head_end;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_o <= 1'b0;
    else if (head_ready) valid_o <= head_valid;
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(token_o));
`endif
endmodule
