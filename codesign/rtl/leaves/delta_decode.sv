// SPDX-License-Identifier: Apache-2.0
// Function:   word tokens {first_of_stream, has_word, end_of_frame, address, values} -> one AXI4-Stream packet of Words
//             beats a frame: the last values of every word, extended to LaneWidth
// Latency:    2 cycles from end_of_frame to the first beat
// Throughput: 1 word per cycle in, 1 beat per cycle out; while a packet leaves, words of the next frame are taken where
//             the old word has left; its end of frame waits
// Timing:     no combinational path from m_axis_tready to ready_o; one from token_i to ready_o if Words > 1
// Reset:      between packets; the first frame must bring every word
// Model:      rtl_tests.models.Decode
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
    input  logic [3+WordWidth+DataWidth-1:0] token_i,  // first_of_stream is not needed here
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
  logic [DataWidth-1:0] values;
  logic [WordWidth-1:0] address, next_q;
  logic has_word, end_of_frame, sending_q, load;

  assign {has_word, end_of_frame, address} = token_i[DataWidth+:WordWidth+2];
  assign ready_o = !sending_q || (has_word && !end_of_frame && address < next_q);
  assign load = sending_q && (m_axis_tready || !m_axis_tvalid);

  for (genvar lane = 0; lane < Lanes; lane++) begin : g_lane
    if (ValueSigned) begin : g_signed
      assign m_axis_tdata[lane*LaneWidth+:LaneWidth] = LaneWidth'($signed(values[lane*ValueWidth+:ValueWidth]));
    end else begin : g_unsigned
      assign m_axis_tdata[lane*LaneWidth+:LaneWidth] = LaneWidth'(values[lane*ValueWidth+:ValueWidth]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i && ready_o && has_word) memory[address] <= token_i[DataWidth-1:0];
    if (load) begin
      values <= memory[next_q];
      m_axis_tlast <= next_q == WordWidth'(Words - 1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      next_q <= '0;
      sending_q <= 1'b0;
      m_axis_tvalid <= 1'b0;
    end else begin
      if (valid_i && ready_o && end_of_frame) sending_q <= 1'b1;
      if (load) begin
        m_axis_tvalid <= 1'b1;
        next_q <= next_q == WordWidth'(Words - 1) ? '0 : next_q + 1'b1;
        if (next_q == WordWidth'(Words - 1)) sending_q <= 1'b0;
      end else if (m_axis_tready) m_axis_tvalid <= 1'b0;
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
