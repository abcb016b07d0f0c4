// SPDX-License-Identifier: Apache-2.0
// Function:   the program, frame after frame: of the first frame of a stream, the sums of every step's engine are set
//             to the biases; then each step is one pass, if its engine has a mark, and the next one begins when all of
//             it is written
// Latency:    a step is read in StepWords + 2 cycles
// Throughput: one step after the other
// Timing:     all outputs are registers, except sweep addresses (an adder)
// Reset:      waits for a frame; the next frame is the first of a stream
// Model:      codesign.core.interpret
// A frame begins when the first beat of it is offered. It takes no beat: core_beats does.
module core_sequence
  import core_pkg::*;
(
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 loaded_i,
    input  logic [          7:0] steps_i,
    output logic                 idle_o,         // no frame is inside
    input  logic                 beat_valid_i,   // offered
    input  logic                 beat_first_i,   // it starts a stream
    output step_t                step_o,
    output logic [          7:0] index_o,        // of the step
    output logic                 fresh_o,        // the first frame of a stream
    output logic                 beats_start_o,
    output logic                 marks_start_o,
    input  logic                 dirty_i,        // of the step's engine
    input  logic                 done_i,         // the pass is written
    input  logic                 packet_done_i,
    output logic                 sweep_valid_o,
    input  logic                 sweep_ready_i,
    output logic [IndexBits-1:0] sweep_read_o,
    output logic [IndexBits-1:0] sweep_write_o,
    output logic                 frame_o,        // a frame is done
    input  logic                 load_i,
    // verilator lint_off UNUSEDSIGNAL
    input  logic [IndexBits-1:0] load_address_i,
    // verilator lint_on UNUSEDSIGNAL
    input  logic [         31:0] load_data_i
);
  localparam int unsigned AddressBits = StepDepth > 1 ? $clog2(StepDepth) : 1;
  localparam int unsigned CountBits = $clog2(StepWords + 1);
  typedef enum logic [2:0] {
    Idle,
    Read,
    Choose,
    Sweep,
    Start,
    Wait,
    Next
  } state_t;

  (* no_rw_check *) logic [31:0] program_memory[StepDepth];
  logic [31:0] word_q;
  logic [AddressBits-1:0] address_q;
  always_ff @(posedge clk_i) begin
    if (load_i) program_memory[load_address_i[AddressBits-1:0]] <= load_data_i;
    word_q <= program_memory[address_q];
  end

  state_t state_q;
  logic first_q, sweeping_q, last_step;
  logic [7:0] index_q;
  logic [CountBits-1:0] count_q;
  logic [StepWords*32-1:0] record_q;
  logic [IndexBits-1:0] swept_q, phase_q;

  assign step_o = record_q[StepBits-1:0];
  assign idle_o = state_q == Idle;
  assign index_o = index_q;
  assign last_step = index_q == steps_i - 8'd1;
  assign sweep_valid_o = state_q == Sweep;
  assign sweep_read_o = step_o.bias_base + phase_q;
  assign sweep_write_o = step_o.sum_base + swept_q;

  always_ff @(posedge clk_i) begin
    {beats_start_o, marks_start_o, frame_o} <= '0;
    count_q <= count_q + 1'b1;
    unique case (state_q)
      Idle: begin
        {index_q, address_q, count_q} <= '0;
        fresh_o <= first_q || beat_first_i;
        sweeping_q <= first_q || beat_first_i;
        if (loaded_i && beat_valid_i) state_q <= Read;
      end
      Read: begin  // the memory answers a cycle later
        if (count_q != CountBits'(StepWords)) address_q <= address_q + 1'b1;
        if (count_q != '0) record_q <= {word_q, record_q[StepWords*32-1:32]};
        if (count_q == CountBits'(StepWords)) state_q <= Choose;
      end
      Choose: begin
        {swept_q, phase_q} <= '0;
        if (sweeping_q) state_q <= step_o.sweep_words != '0 ? Sweep : Next;
        else state_q <= fresh_o || step_o.source || step_o.packet != '0 || dirty_i ? Start : Next;
      end
      Sweep:
      if (sweep_ready_i) begin
        swept_q <= swept_q + 1'b1;
        phase_q <= phase_q == step_o.bias_period - 1'b1 ? '0 : phase_q + 1'b1;
        if (swept_q == step_o.sweep_words - 1'b1) state_q <= Next;
      end
      Start: begin
        beats_start_o <= step_o.source;
        marks_start_o <= !step_o.source;
        state_q <= Wait;
      end
      Wait: if (step_o.packet != '0 ? packet_done_i : done_i) state_q <= Next;
      Next: begin
        count_q <= '0;
        index_q <= index_q + 1'b1;
        state_q <= Read;
        if (last_step) begin
          {index_q, address_q} <= '0;
          sweeping_q <= 1'b0;
          if (!sweeping_q) begin
            frame_o <= 1'b1;
            first_q <= 1'b0;
            state_q <= Idle;
          end
        end
      end
      default: state_q <= Idle;
    endcase
    if (idle_o && !loaded_i) first_q <= 1'b1;
    if (!rst_ni) begin
      state_q <= Idle;
      first_q <= 1'b1;
      {beats_start_o, marks_start_o, frame_o} <= '0;
    end
  end

`ifndef SYNTHESIS
  a_sweep_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) sweep_valid_o && !sweep_ready_i |=> sweep_valid_o);
  a_sweep :
  assert property (@(posedge clk_i) disable iff (!rst_ni) sweep_valid_o && !sweep_ready_i |=>
      $stable({sweep_read_o, sweep_write_o}));
`endif
endmodule
