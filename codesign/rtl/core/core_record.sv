// SPDX-License-Identifier: Apache-2.0
// Function:   where the rows of codes of word_i are: outside_o: they lie in the external memory, as the last one,
//             code_base + word * parts + parts - 1, is not below CodeDepth; address_o: of the first one there
// Latency:    4 enabled cycles
// Throughput: 1 word a cycle
// Timing:     registers at all outputs; two sums of constant multiples and two additions, one a stage
// Reset:      none (data path only)
// Model:      rtl_tests.bench_core_codes.record
module core_record
  import core_pkg::*;
  import core_types::*;
(
    input  logic                         clk_i,
    input  logic                         enable_i,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                        step_i,     // some fields are for others
    // verilator lint_on UNUSEDSIGNAL
    input  logic [MemoryAddressBits-1:0] origin_i,   // of row 0
    input  logic [        IndexBits-1:0] word_i,
    output logic                         outside_o,
    output logic [MemoryAddressBits-1:0] address_o
);
  logic [IndexBits-1:0] rows_q, first_q2;
  logic [IndexBits:0] past_q, past_q2;  // the row after the last one
  logic outside_q3;
  logic [MemoryAddressBits-1:0] beats_q3;

  // verilator lint_off UNUSEDSIGNAL
  function automatic logic [MemoryAddressBits-1:0] beats_of(input logic [IndexBits-1:0] row);  // one that exists
    beats_of = '0;
    for (int i = 0; i < 8; i++) beats_of += RowBeats[i] ? MemoryAddressBits'(row) << i : '0;
  endfunction
  // verilator lint_on UNUSEDSIGNAL

  always_ff @(posedge clk_i) begin
    past_q <= (IndexBits + 1)'(step_i.code_base) + (IndexBits + 1)'(step_i.parts);
    if (enable_i) begin
      rows_q <= rows_of(word_i, step_i.parts);
      first_q2 <= step_i.code_base + rows_q;
      past_q2 <= past_q + (IndexBits + 1)'(rows_q);
      outside_q3 <= past_q2 > (IndexBits + 1)'(CodeDepth);
      beats_q3 <= beats_of(first_q2);
      outside_o <= outside_q3;
      address_o <= origin_i + beats_q3;
    end
  end
endmodule
