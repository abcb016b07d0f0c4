// SPDX-License-Identifier: Apache-2.0
// Function:   which words of sums were touched: set_word_i is marked; a pass gives the marked words of step_i in order,
//             then its end, and clears their marks unless step_i.keep; all words below step_i.words if fresh_i or a
//             packet is sent, which clears nothing. dirty_o: a word of step_i.engine was marked since the last pass
//             that cleared, and had not step_i.more
// Latency:    7 cycles from start_i to the first word; a mark counts from the next cycle on
// Throughput: 1 mark a cycle; 1 word a cycle, or 1 chunk of 32 words without a mark a cycle; marks go first
// Timing:     registers at all outputs but dirty_o, which is read from distributed RAM, and set_ready_o = !start_i
// Reset:      no pass; marks and dirty bits stay: they are right once each engine was sent in a pass with fresh_i
// Model:      rtl_tests.bench_core_marks.Marks
// Each access to a chunk of marks reads and writes it, see delta_state. start_i comes with the step, between passes;
// step_i and fresh_i stay until the end was given. Which engine a word belongs to is only known for its dirty bit.
module core_marks
  import core_pkg::*;
(
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 set_valid_i,
    output logic                 set_ready_o,
    input  logic [IndexBits-1:0] set_word_i,
    input  logic [          7:0] set_engine_i,
    input  logic                 start_i,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                step_i,        // some fields are for others
    // verilator lint_on UNUSEDSIGNAL
    input  logic                 fresh_i,
    output logic                 dirty_o,
    output logic                 valid_o,
    input  logic                 ready_i,
    output logic                 end_o,
    output logic [IndexBits-1:0] word_o
);
  localparam int unsigned BitBits = $clog2(ChunkBits);
  localparam int unsigned ChunkIndexBits = IndexBits - BitBits;
  localparam int unsigned AddressBits = ChunkDepth > 1 ? $clog2(ChunkDepth) : 1;
  localparam int unsigned CountBits = $clog2(ChunkBits + 1);
  localparam int unsigned Room = 8;  // chunks that were asked for and are not taken

  logic set, packet;
  assign set_ready_o = !start_i;
  assign set = set_valid_i && set_ready_o;
  assign packet = step_i.packet != 0;

  (* no_rw_check, ram_style = "distributed" *) logic dirty[EngineCount];
  logic [7:0] dirty_engine;
  assign dirty_engine = start_i ? step_i.engine : set_engine_i;
  assign dirty_o = dirty[step_i.engine];
  always_ff @(posedge clk_i)
    if (start_i ? !step_i.keep && !step_i.more && !packet : set) dirty[dirty_engine] <= !start_i;

  // A pass asks for chunk after chunk, then for its end.
  logic scanning_q, ask, end_next, last_chunk;
  logic [ChunkIndexBits-1:0] chunk_q;
  logic [IndexBits-1:0] left_q;  // words from this chunk on
  logic [$clog2(Room+1)-1:0] room_q;
  logic drop, pop;
  assign end_next = left_q == 0;
  assign last_chunk = left_q <= IndexBits'(ChunkBits);
  assign ask = scanning_q && room_q != 0 && (end_next || !set);
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      chunk_q <= '0;
      left_q  <= step_i.words;
    end else if (ask) begin
      chunk_q <= chunk_q + 1'b1;
      left_q  <= last_chunk ? '0 : left_q - IndexBits'(ChunkBits);
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      scanning_q <= 1'b0;
      room_q <= ($clog2(Room + 1))'(Room);
    end else begin
      if (start_i) scanning_q <= 1'b1;
      else if (ask && end_next) scanning_q <= 1'b0;
      room_q <= room_q - ($clog2(Room + 1))'(ask) + ($clog2(Room + 1))'(drop) + ($clog2(Room + 1))'(pop);
    end
  end

  // An access: a mark, or a chunk of the pass. Its marks come two cycles later.
  typedef struct packed {
    logic set;
    logic [BitBits-1:0] set_bit;
    logic end_of_pass;
    logic [ChunkIndexBits-1:0] chunk;
    logic [ChunkBits-1:0] below;  // words of the frame
  } access_t;
  access_t access, access_q, access_q2;
  logic [2:0] asked_q;
  logic end_q3;
  logic [ChunkIndexBits-1:0] chunk_q3;
  logic [AddressBits-1:0] address;
  logic [ChunkBits-1:0] marks, marks_after, found_q3;
  // verilator lint_off UNUSEDSIGNAL
  logic [ChunkIndexBits-1:0] set_chunk;  // below ChunkDepth
  // verilator lint_on UNUSEDSIGNAL
  assign {set_chunk, access.set_bit} = set_word_i;
  assign access.set = set;
  assign access.end_of_pass = end_next;
  assign access.chunk = chunk_q;
  assign access.below = last_chunk ? ~({ChunkBits{1'b1}} << left_q[BitBits:0]) : '1;
  assign address = set ? AddressBits'(set_chunk) : AddressBits'(step_i.mark_base) + AddressBits'(chunk_q);
  delta_state #(
      .Words(ChunkDepth),
      .Width(ChunkBits)
  ) u_marks (
      .clk_i,
      .rst_ni,
      .enable_i (1'b1),
      .valid_i  (set || (ask && !end_next)),
      .load_i   (1'b0),
      .word_i   (address),
      .initial_i('0),
      .operand_o(marks),
      .result_i (marks_after)
  );
  always_ff @(posedge clk_i) begin
    access_q  <= access;
    access_q2 <= access_q;
    {end_q3, chunk_q3} <= {access_q2.end_of_pass, access_q2.chunk};
    found_q3 <= fresh_i || packet ? access_q2.below : marks;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) asked_q <= '0;
    else asked_q <= {asked_q[1:0], ask};
  end
  always_comb begin
    marks_after = marks;
    if (access_q2.set) marks_after[access_q2.set_bit] = 1'b1;
    else if (!step_i.keep && !packet) marks_after = '0;
  end
  assign drop = asked_q[2] && !end_q3 && found_q3 == 0;
  function automatic logic [CountBits-1:0] count(input logic [ChunkBits/2-1:0] marked);
    count = '0;
    for (int i = 0; i < ChunkBits / 2; i++) count += CountBits'(marked[i]);
  endfunction

  logic full_ready, next_valid, next_end;
  logic [CountBits-1:0] next_low, next_high;  // marks in either half
  logic [ChunkIndexBits-1:0] next_chunk;
  logic [ChunkBits-1:0] next_bits;
  delta_fifo #(
      .Width(1 + 2 * CountBits + ChunkIndexBits + ChunkBits),
      .Depth(Room),
      .Registered(1'b0)
  ) u_chunks (
      .clk_i,
      .rst_ni,
      .valid_i(asked_q[2] && !drop),
      .ready_o(full_ready),
      .data_i ({
        end_q3, count(found_q3[ChunkBits/2-1:0]), count(found_q3[ChunkBits-1:ChunkBits/2]), chunk_q3, found_q3
      }),
      .valid_o(next_valid),
      .ready_i(pop),
      .data_o ({next_end, next_low, next_high, next_chunk, next_bits})
  );

  // The lowest mark of a chunk is the next word.
  function automatic logic [BitBits-1:0] first(input logic [ChunkBits-1:0] marked);
    first = '0;
    for (int i = ChunkBits - 1; i >= 0; i--) if (marked[i]) first = BitBits'(i);
  endfunction
  logic busy_q, last_q, free, several;
  logic [ChunkIndexBits-1:0] at_q;
  logic [ChunkBits-1:0] bits_q;
  logic [CountBits-1:0] count_q;  // of them
  assign several = !last_q && count_q > CountBits'(1);
  assign free = ready_i || !valid_o;
  assign pop = next_valid && (!busy_q || (free && !several));
  always_ff @(posedge clk_i) begin
    if (pop) {last_q, count_q, at_q, bits_q} <= {next_end, next_low + next_high, next_chunk, next_bits};
    else if (free) {count_q, bits_q} <= {count_q - 1'b1, bits_q & (bits_q - 1'b1)};
    if (free) {end_o, word_o} <= {last_q, at_q, first(bits_q)};
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {busy_q, valid_o} <= '0;
    else begin
      if (free) valid_o <= busy_q;
      if (pop) busy_q <= 1'b1;
      else if (free && !several) busy_q <= 1'b0;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable({end_o, word_o}));
  a_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) asked_q[2] && !drop |-> full_ready);
  a_start :
  assert property (@(posedge clk_i) disable iff (!rst_ni) start_i |-> !scanning_q && !busy_q);
`endif
endmodule
