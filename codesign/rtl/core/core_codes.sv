// SPDX-License-Identifier: Apache-2.0
// Function:   the memory of codes: parts pass on their way to core_send when their row is there. codes_o is row
//             code_base + word_i * parts + part_i, SendRead enabled cycles after the part passed; SendStages after it,
//             codes_i replace them if row_i. Words of which a row is not below CodeDepth lie in the external memory:
//             their rows are asked for ahead, and written back
// Latency:    0 cycles; SendRead enabled cycles to codes_o
// Throughput: 1 row a cycle inside; 1 beat a cycle each way outside
// Timing:     registers at codes_o; combinational valid_i -> valid_o, ready_i -> ready_o,
//             end_i -> both, enable_i -> read enables of the block RAM
// Reset:      no pass; the memories keep what they hold
// Model:      rtl_tests.bench_core_codes.Codes
// No row is taken twice in a pass, so that reads and writes need no order there. A pass ends when it has nothing in the
// memory's ports any more, so that the next one reads what it wrote. word_i of a pass also come early, as aim_*, in the
// same order, or not at all: those of a source are known. Without an external memory parts and ends are always ready.
module core_codes
  import core_pkg::*;
  import core_types::*;
#(
    parameter int unsigned BankRows = 2048  // of 8 or 9 bits are a block RAM, with no other one to choose from
) (
    input  logic                           clk_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic                           rst_ni,
    input  logic                           start_i,
    input  step_t                          step_i,           // some fields are for others
    input  logic                           fresh_i,
    input  logic [  MemoryAddressBits-1:0] origin_i,         // of row 0, in beats
    input  logic                           aim_valid_i,      // a word of the pass
    output logic                           aim_ready_o,
    input  logic                           aim_end_i,
    input  logic [          IndexBits-1:0] aim_word_i,
    input  logic                           valid_i,          // a part on its way to core_send
    output logic                           ready_o,
    input  logic                           end_i,
    input  logic [          IndexBits-1:0] word_i,
    input  logic [                    3:0] part_i,
    input  logic                           last_part_i,
    output logic                           valid_o,          // its row is there
    input  logic                           ready_i,
    input  logic                           enable_i,         // the stages of core_send move
    output logic [Quantisers*CodeBits-1:0] codes_o,
    input  logic                           row_i,            // codes_i are of a row; again while nothing moves
    input  logic [          IndexBits-1:0] row_word_i,
    input  logic                           row_last_part_i,
    input  logic                           row_changed_i,
    input  logic [Quantisers*CodeBits-1:0] codes_i,
    output logic                           read_valid_o,
    input  logic                           read_ready_i,
    output logic [  MemoryAddressBits-1:0] read_address_o,
    output logic [                    7:0] read_beats_o,
    input  logic                           data_valid_i,
    input  logic [         MemoryBits-1:0] data_i,
    output logic                           write_valid_o,
    input  logic                           write_ready_i,
    output logic [  MemoryAddressBits-1:0] write_address_o,
    output logic [                    7:0] write_beats_o,
    output logic [         MemoryBits-1:0] write_data_o,
    output logic                           write_last_o
    // verilator lint_on UNUSEDSIGNAL
);
  localparam int unsigned AddressBits = CodeDepth > 1 ? $clog2(CodeDepth) : 1;
  localparam int unsigned Banks = (CodeDepth + BankRows - 1) / BankRows;
  localparam int unsigned BankBits = Banks > 1 ? $clog2(Banks) : 1;
  if (2 ** $clog2(BankRows) != BankRows) begin : g_bad
    $error("core_codes: BankRows must be a power of two");
  end

  // Stage 1: the row from the start of the node's. 2: memory.
  logic [IndexBits-1:0] row_q, part_q;
  // verilator lint_off UNUSEDSIGNAL
  logic [IndexBits-1:0] row;  // below CodeDepth, or not used
  // verilator lint_on UNUSEDSIGNAL
  logic [SendStages:2][AddressBits-1:0] address_q;
  assign row = row_q + part_q;
  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      row_q <= rows_of(word_i, step_i.parts);
      part_q <= step_i.code_base + IndexBits'(part_i);
      address_q <= {address_q[SendStages-1:2], AddressBits'(row)};
    end
  end

  // Every bank has a register right behind its block RAM, which is slow: stage 3. 4: the bank of the row.
  logic read_outside, write_inside;
  logic [Banks-1:0][Quantisers*CodeBits-1:0] banks_q3;
  logic [Quantisers*CodeBits-1:0] outside_q3, codes_q4;
  logic [BankBits-1:0] bank_q3, written;
  if (Banks > 1) begin : g_banks
    assign {bank_q3, written} = {address_q[3][AddressBits-1-:BankBits], address_q[SendStages][AddressBits-1-:BankBits]};
  end else begin : g_one
    assign {bank_q3, written} = '0;
  end
  for (genvar b = 0; b < Banks; b++) begin : g_bank
    localparam int unsigned Rows = CodeDepth - b * BankRows > BankRows ? BankRows : CodeDepth - b * BankRows;
    localparam int unsigned RowBits = Rows > 1 ? $clog2(Rows) : 1;
    (* no_rw_check, ram_style = "block" *) logic [Quantisers*CodeBits-1:0] codes[Rows];
    logic [Quantisers*CodeBits-1:0] codes_q2;
    always_ff @(posedge clk_i) begin
      if (write_inside && written == BankBits'(b)) codes[address_q[SendStages][RowBits-1:0]] <= codes_i;
      if (enable_i) {codes_q2, banks_q3[b]} <= {codes[row[RowBits-1:0]], codes_q2};
    end
  end
  always_ff @(posedge clk_i) begin
    if (enable_i) {codes_q4, codes_o} <= {read_outside ? outside_q3 : banks_q3[bank_q3], codes_q4};
  end

  if (HasMemory) begin : g_outside
    logic go, take, ending, part, known, outside, there, room, ahead_idle, back_idle;
    logic settled_q, clear_q, read_q, write_q;
    logic [SendStages:1] outside_q;
    assign ending = valid_i && end_i;
    assign take = ready_o && valid_i;
    assign part = take && !end_i;
    assign {valid_o, ready_o} = {valid_i && go, ready_i && go};
    assign go = end_i ? settled_q : known && (!outside || ((there || !read_q) && (room || !write_q)));
    assign read_outside = outside_q[3];
    assign write_inside = row_i && !outside_q[SendStages];
    always_ff @(posedge clk_i) begin
      write_q <= step_i.packet == 2'd0;
      read_q  <= step_i.packet == 2'd2 || (step_i.packet == 2'd0 && !fresh_i);
      if (enable_i) outside_q <= {outside_q[SendStages-1:1], outside};
    end
    always_ff @(posedge clk_i) begin
      if (!rst_ni) {settled_q, clear_q} <= '0;
      else begin
        settled_q <= ending && !take && ahead_idle && back_idle;
        clear_q   <= take && end_i;
      end
    end
    core_ahead u_ahead (
        .clk_i,
        .rst_ni,
        .start_i,
        .step_i,
        .read_i        (read_q),
        .origin_i,
        .word_valid_i  (aim_valid_i),
        .word_ready_o  (aim_ready_o),
        .word_end_i    (aim_end_i),
        .word_i        (aim_word_i),
        .ending_i      (ending),
        .idle_o        (ahead_idle),
        .clear_i       (clear_q),
        .known_o       (known),
        .outside_o     (outside),
        .there_o       (there),
        .take_i        (part),
        .last_part_i,
        .enable_i,
        .codes_o       (outside_q3),
        .read_valid_o,
        .read_ready_i,
        .read_address_o,
        .read_beats_o,
        .data_valid_i,
        .data_i
    );
    core_back u_back (
        .clk_i,
        .rst_ni,
        .step_i,
        .fresh_i,
        .origin_i,
        .room_o        (room),
        .take_i        (part && outside && write_q),
        .idle_o        (back_idle),
        .row_i         (row_i && enable_i && outside_q[SendStages]),
        .word_i        (row_word_i),
        .last_part_i   (row_last_part_i),
        .changed_i     (row_changed_i),
        .codes_i,
        .write_valid_o,
        .write_ready_i,
        .write_address_o,
        .write_beats_o,
        .write_data_o,
        .write_last_o
    );
  end else begin : g_inside
    assign {aim_ready_o, valid_o, ready_o} = {1'b1, valid_i, ready_i};
    assign {read_outside, outside_q3} = '0;
    assign write_inside = row_i;
    assign {read_valid_o, read_address_o, read_beats_o} = '0;
    assign {write_valid_o, write_address_o, write_beats_o, write_data_o, write_last_o} = '0;
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_read :
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_valid_o && !read_ready_i |=> read_valid_o);
  a_request :
  assert property (@(posedge clk_i) disable iff (!rst_ni) read_valid_o && !read_ready_i |=>
      $stable({read_address_o, read_beats_o}));
  a_write :
  assert property (@(posedge clk_i) disable iff (!rst_ni) write_valid_o && !write_ready_i |=> write_valid_o);
  a_beat :
  assert property (@(posedge clk_i) disable iff (!rst_ni) write_valid_o && !write_ready_i |=>
      $stable({write_address_o, write_beats_o, write_data_o, write_last_o}));
`endif
endmodule
