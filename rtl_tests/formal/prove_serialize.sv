// SPDX-License-Identifier: Apache-2.0
// delta_serialize: every changed lane of a word is one event, lowest first. The event that is marked is any of its word.
module prove_serialize #(
    parameter int unsigned Size = 5,
    parameter int unsigned Lanes = 3,
    parameter int unsigned Depth = 2,
    localparam int unsigned Words = (Size + Lanes - 1) / Lanes,
    localparam int unsigned WordWidth = Words > 1 ? $clog2(Words) : 1,
    localparam int unsigned AddressWidth = Size > 1 ? $clog2(Size) : 1,
    localparam int unsigned EnterWidth = $clog2(Lanes + 1)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic valid_i,
    input logic first_i,
    input logic has_word_i,
    input logic end_i,
    input logic [WordWidth-1:0] word_i,
    input logic [Lanes-1:0] mask_i,
    input logic [Lanes-1:0][1:0] deltas_i,
    input logic ready_i,
    input logic mark_i,
    input logic [EnterWidth-1:0] pick_i  // which event of the word is the marked one
);
  localparam int unsigned Most = (Depth + 2) * Lanes;
  typedef struct packed {
    logic first_of_stream;
    logic has_event;
    logic end_of_frame;
    logic [AddressWidth-1:0] address;
    logic [1:0] delta;
  } event_t;
  typedef struct packed {  // as in the queue of the leaf
    logic first;
    logic last;
    logic [WordWidth-1:0] word;
    logic [Lanes-1:0] mask;
    logic [Lanes-1:0][1:0] deltas;
  } entry_t;
  logic ready, valid, take, first, keep, first_q, started_q;
  event_t token;
  entry_t enters;
  logic [EnterWidth-1:0] enter;

  function automatic logic [EnterWidth-1:0] events(input logic [Lanes-1:0] mask);
    events = '0;
    for (int unsigned i = 0; i < Lanes; i++) events += EnterWidth'(mask[i]);
    if (mask == '0) events = 1;  // the end of a frame
  endfunction
  function automatic event_t event_of(input entry_t entry, input logic [31:0] base, input logic [31:0] number);
    logic [31:0] lower;
    lower   = '0;
    event_of = '{
        first_of_stream: entry.first && number == 0, has_event: entry.mask != '0,
        end_of_frame: entry.last && number + 1 == 32'(events(entry.mask)), address: AddressWidth'(base), delta: '0
    };
    for (int unsigned i = 0; i < Lanes; i++) begin
      if (entry.mask[i] && lower == number) begin
        event_of.address = AddressWidth'(base + i);
        event_of.delta   = entry.deltas[i];
      end
      lower += 32'(entry.mask[i]);
    end
  endfunction

  assume_reset i_reset (.*);
  assign take   = valid_i && ready;
  assign first  = first_q || (has_word_i && first_i && !started_q);
  assign keep   = mask_i != '0 || end_i;
  assign enters = '{first: first, last: end_i, word: word_i, mask: mask_i, deltas: deltas_i};
  assign enter  = take && keep ? events(mask_i) : '0;
  delta_serialize #(
      .Size      (Size),
      .Lanes     (Lanes),
      .DeltaWidth(2),
      .Depth     (Depth)
  ) dut (
      .clk_i,
      .rst_ni,
      .valid_i,
      .ready_o(ready),
      .token_i({first_i, has_word_i, end_i, word_i, mask_i, deltas_i}),
      .valid_o(valid),
      .ready_i,
      .token_o(token)
  );
  check_stream #(
      .Width   ($bits(event_t)),
      .Most    (Most),
      .Enter   (Lanes),
      .Patience(1)
  ) i_stream (
      .clk_i,
      .rst_ni,
      .enter_i     (enter),
      .before_i    (pick_i),
      .enter_data_i(event_of(enters, 32'(word_i) * Lanes, 32'(pick_i))),
      .mark_i,
      .valid_i     (valid),
      .ready_i,
      .data_i      (token),
      .inside_o    (),
      .ahead_o     (),
      .marked_o    (),
      .value_o     ()
  );

  // What is inside, for the step of the induction: the word at work, that of the queue's register, those of its memory.
  logic [Depth+1:0] full;
  entry_t [Depth+1:0] entries;
  assign full[0] = valid;
  assign full[1] = dut.head_valid;
  assign entries[0] = '{first: dut.first_q2, last: dut.end_q, word: '0, mask: dut.mask_q, deltas: dut.deltas_q};
  assign entries[1] = dut.i_queue.data_o;
  for (genvar i = 0; i < Depth; i++) begin : g_queue
    assign full[i+2] = i < 32'(dut.i_queue.count_q);
    assign entries[i+2] = dut.i_queue.memory[(32'(dut.i_queue.read_q)+i)%Depth];
  end
  logic [31:0] number, base;
  logic right, found;
  always_comb begin
    number = '0;
    {right, found} = 2'b10;
    for (int unsigned i = 0; i < Depth + 2; i++) begin
      base = i == 0 ? 32'(dut.base_q) : 32'(entries[i].word) * Lanes;
      if (full[i]) begin
        right &= entries[i].mask != '0 || entries[i].last;
        for (int unsigned j = 0; j < Lanes; j++) begin
          if (j < 32'(events(entries[i].mask)) && number + j == 32'(i_stream.ahead_o)) begin
            found |= event_of(entries[i], base, j) == i_stream.value_o;
          end
        end
        number += 32'(events(entries[i].mask));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    m_mask : assume (has_word_i || mask_i == '0);
    m_padding : assume (32'(word_i) < Words && (32'(word_i) != Words - 1 || mask_i >> (Size - (Words - 1) * Lanes) == '0));
    if (!rst_ni) begin
      first_q   <= 1'b0;
      started_q <= 1'b0;
    end else begin
      if (take) begin
        first_q   <= first && !keep;
        started_q <= !end_i;
      end
      a_room : assert (ready == (32'(dut.i_queue.count_q) < Depth));
      i_inside : assert (32'(i_stream.inside_o) == number);
      i_right : assert (right);
      i_found : assert (!i_stream.marked_o || found);
      i_flags : assert (dut.first_q == first_q && dut.started_q == started_q);
      i_work : assert (!valid || (dut.rest_q == (dut.mask_q & (dut.mask_q - 1'b1)) &&
                       dut.last_q == (events(dut.mask_q) <= 1)));
      i_idle : assert (valid || number == 0 || (dut.head_valid && i_stream.late_q == '0));
      i_pointers : assert (32'(dut.i_queue.read_q) < Depth && 32'(dut.i_queue.write_q) < Depth);
      i_distance : assert (32'(dut.i_queue.count_q) <= Depth && 32'(dut.i_queue.write_q) ==
                           (32'(dut.i_queue.read_q) + 32'(dut.i_queue.count_q)) % Depth);
      i_empty : assert (dut.i_queue.empty_q == (dut.i_queue.count_q == 0) && (dut.i_queue.empty_q || dut.head_valid));
      c_first : cover (first_q && take && keep && enter > 1);
    end
  end
endmodule
