// SPDX-License-Identifier: Apache-2.0
// Function:   word tokens {fresh, has_word, end_of_frame, address, values} -> one AXI4-Stream packet of Words beats a
//             frame; words that a frame does not bring are sent again from the last packet; widened to LaneWidth
// Latency:    1 cycle
// Throughput: 1 word a cycle
// Timing:     combinational m_axis_tready -> ready_o
// Reset:      between packets; the first frame must bring every word
// Model:      rtl_tests.models.Decode
// Words of a frame must arrive in order 0, 1, ... without holes at the front; the address itself is not read.
module delta_decode #(
    parameter int unsigned Words = 1,
    parameter int unsigned Lanes = 1,
    parameter int unsigned ValueWidth = 8,
    parameter bit ValueSigned = 1'b1,
    parameter int unsigned LaneWidth = 8,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned DataWidth = Lanes * ValueWidth
) (
    input  logic                             clk_i,
    input  logic                             rst_ni,
    input  logic                             valid_i,
    output logic                             ready_o,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [3+WordWidth+DataWidth-1:0] token_i,  // fresh and address are not needed here
    // verilator lint_on UNUSEDSIGNAL
    output logic [      Lanes*LaneWidth-1:0] m_axis_tdata,
    output logic                             m_axis_tvalid,
    input  logic                             m_axis_tready,
    output logic                             m_axis_tlast
);
  if (Words < 1 || Lanes < 1 || LaneWidth < ValueWidth) begin : g_bad
    $error("delta_decode: Words and Lanes must be at least 1, LaneWidth at least ValueWidth");
  end

  logic [DataWidth-1:0] memory[Words];
  logic [DataWidth-1:0] values, token_q, memory_q;
  logic [WordWidth-1:0] next_q;
  logic repeat_q;  // sending the rest of a frame from memory
  logic repeat_word_q;  // the word at the output comes from memory
  logic enable, has_word, end_of_frame, from_memory, send, last;

  assign has_word = token_i[DataWidth+WordWidth+1];
  assign end_of_frame = token_i[DataWidth+WordWidth];
  assign enable = m_axis_tready || !m_axis_tvalid;
  assign ready_o = enable && !repeat_q;
  assign from_memory = repeat_q || !has_word;
  assign send = repeat_q || valid_i;
  assign last = next_q == WordWidth'(Words - 1);
  assign values = repeat_word_q ? memory_q : token_q;

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    if (ValueSigned) begin : g_signed
      assign m_axis_tdata[lane*LaneWidth+:LaneWidth] = LaneWidth'($signed(values[lane*ValueWidth+:ValueWidth]));
    end else begin : g_unsigned
      assign m_axis_tdata[lane*LaneWidth+:LaneWidth] = LaneWidth'(values[lane*ValueWidth+:ValueWidth]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (enable) begin
      if (send && !from_memory) memory[next_q] <= token_i[DataWidth-1:0];
      memory_q <= memory[next_q];
      token_q <= token_i[DataWidth-1:0];
      repeat_word_q <= from_memory;
      m_axis_tlast <= last;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      next_q <= '0;
      repeat_q <= 1'b0;
      m_axis_tvalid <= 1'b0;
    end else if (enable) begin
      m_axis_tvalid <= send;
      if (send) begin
        next_q   <= last ? '0 : next_q + 1'b1;
        repeat_q <= !last && (from_memory || end_of_frame);
      end
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axis_tvalid && !m_axis_tready |=> m_axis_tvalid);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      m_axis_tvalid && !m_axis_tready |=> $stable({m_axis_tdata, m_axis_tlast}));
`endif
endmodule
