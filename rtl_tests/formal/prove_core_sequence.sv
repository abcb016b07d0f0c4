// SPDX-License-Identifier: Apache-2.0
// core_sequence, with any program: one word of it is watched, any one. The model goes through the steps of a frame,
// twice if it starts a stream: what is swept and what is started must be of the step whose turn it is.
module prove_core_sequence
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic loaded_i,
    input logic [7:0] steps_i,
    input logic beat_valid_i,
    input logic beat_first_i,
    input logic dirty_i,
    input logic done_i,
    input logic packet_done_i,
    input logic sweep_ready_i,
    input logic load_i,
    input logic [IndexBits-1:0] load_address_i,
    input logic [31:0] load_data_i,
    input logic [IndexBits-1:0] some_word_i
);
  localparam int unsigned AddressBits = StepDepth > 1 ? $clog2(StepDepth) : 1;
  typedef enum logic [2:0] {
    Idle,
    Reads,
    Sweeps,
    Starts,
    Waits,
    Leaves
  } phase_t;
  step_t step;
  logic idle, fresh, beats_start, marks_start, sweep_valid, frame;
  logic [7:0] index;
  logic [IndexBits-1:0] sweep_read, sweep_write;

  assume_reset i_reset (.*);
  core_sequence dut (
      .clk_i,
      .rst_ni,
      .loaded_i,
      .steps_i,
      .idle_o       (idle),
      .beat_valid_i,
      .beat_first_i,
      .step_o       (step),
      .index_o      (index),
      .fresh_o      (fresh),
      .beats_start_o(beats_start),
      .marks_start_o(marks_start),
      .dirty_i,
      .done_i,
      .packet_done_i,
      .sweep_valid_o(sweep_valid),
      .sweep_ready_i,
      .sweep_read_o (sweep_read),
      .sweep_write_o(sweep_write),
      .frame_o      (frame),
      .load_i,
      .load_address_i,
      .load_data_i
  );

  // The step whose turn it is, and what it is at. sweeps_q: the first round of a stream's first frame.
  phase_t phase_q;
  logic first_q, fresh_q, sweeps_q, needed, known_q, frame_q, beats_q, marks_q, stays_q;
  logic [7:0] step_q, since_q, steps_before_q;  // since: cycles of the reading
  logic [IndexBits-1:0] swept_q, word_q;
  logic [31:0] value_q, at;
  logic [StepWords-1:0][31:0] record;
  logic [StepBits-1:0] step_before_q;
  logic [2:0] state;  // of the leaf
  assign state = phase_q == Idle ? 3'd0 : phase_q != Reads ? 3'(phase_q) + 3'd1 : 32'(since_q) == StepWords + 1 ? 3'd2 :
      3'd1;
  assign record = (StepWords * 32)'(step);
  assign needed = fresh_q || step.source || step.packet != 0 || dirty_i;
  assign at = 32'(word_q) - 32'(step_q) * StepWords;  // of the watched word, in the step's

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) word_q <= some_word_i;
    m_word : assume (!past_q || 32'(word_q) < StepDepth);
    m_steps : assume (steps_i != 0 && 32'(steps_i) * StepWords <= StepDepth);
    steps_before_q <= steps_i;
    m_steps_stay : assume (phase_q == Idle || steps_i == steps_before_q);
    m_load : assume (!load_i || (phase_q == Idle && !loaded_i && 32'(load_address_i) < StepDepth));
    m_period : assume (step.bias_period != 0 || phase_q == Reads);
    step_before_q <= step;
    if (!past_q) known_q <= 1'b0;
    else if (load_i && load_address_i == word_q) {known_q, value_q} <= {1'b1, load_data_i};
    if (past_q) i_memory : assert (!known_q || dut.program_memory[word_q[AddressBits-1:0]] == value_q);
    {frame_q, beats_q, marks_q, since_q} <= '0;
    stays_q <= rst_ni && phase_q inside {Sweeps, Starts, Waits};
    if (!rst_ni) {phase_q, first_q} <= {Idle, 1'b1};
    else begin
      case (phase_q)
        Idle: begin
          fresh_q <= first_q || beat_first_i;
          sweeps_q <= first_q || beat_first_i;
          step_q <= '0;
          if (!loaded_i) first_q <= 1'b1;
          else if (beat_valid_i) phase_q <= Reads;
        end
        Reads: begin
          if (32'(since_q) <= StepWords) since_q <= since_q + 1'b1;
          swept_q <= '0;
          if (32'(since_q) == StepWords + 1) begin
            if (sweeps_q) phase_q <= step.sweep_words != 0 ? Sweeps : Leaves;
            else phase_q <= needed ? Starts : Leaves;
          end
        end
        Sweeps:
        if (sweep_ready_i) begin
          swept_q <= swept_q + 1'b1;
          if (swept_q + 1'b1 == step.sweep_words) phase_q <= Leaves;
        end
        Starts: begin
          {beats_q, marks_q} <= {step.source, !step.source};
          phase_q <= Waits;
        end
        Waits: if (step.packet != 0 ? packet_done_i : done_i) phase_q <= Leaves;
        default: begin
          step_q  <= step_q + 1'b1;
          phase_q <= Reads;
          if (step_q + 1'b1 == steps_i) begin
            {step_q, sweeps_q} <= '0;
            if (!sweeps_q) {phase_q, first_q, frame_q} <= {Idle, 2'b01};
          end
        end
      endcase

      a_idle : assert (idle == (phase_q == Idle));
      a_index : assert (idle || index == step_q);
      a_step : assert (!known_q || !(phase_q inside {Sweeps, Starts, Waits} || (phase_q == Reads &&
                       32'(since_q) == StepWords + 1)) || at >= StepWords || record[at] == (value_q & mask_of(at)));
      i_step_stays : assert (!stays_q || idle || phase_q == Reads || step == step_before_q);
      a_fresh : assert (idle || fresh == fresh_q);
      a_sweeps : assert (sweep_valid == (phase_q == Sweeps));
      a_sweep : assert (!sweep_valid || (sweep_write == step.sum_base + swept_q &&
                        sweep_read == step.bias_base + swept_q % step.bias_period));
      a_starts : assert ({beats_start, marks_start} == {beats_q, marks_q});
      a_frame : assert (frame == frame_q);
      i_state : assert (3'(phase_q) <= 3'd5 && 3'(dut.state_q) == state);
      i_since : assert (32'(since_q) <= StepWords + 1 && (phase_q == Reads || since_q == 0));
      i_first : assert (dut.first_q == first_q && (idle || dut.sweeping_q == sweeps_q));
      i_count : assert (phase_q != Reads || 32'(since_q) > StepWords || 32'(dut.count_q) == 32'(since_q));
      i_step : assert (step_q < steps_i || idle);
      i_address : assert (idle || 32'(dut.address_q) == (AddressBits)'((32'(step_q) * StepWords + (phase_q == Reads ?
                          (32'(since_q) > StepWords ? StepWords : 32'(since_q)) : StepWords))));
      i_asked : assert (!known_q || phase_q != Reads || since_q == 0 || 32'(since_q) > StepWords ||
                        at + 1 != 32'(since_q) || dut.word_q == value_q);
      i_read : assert (!known_q || phase_q != Reads || at + 1 >= 32'(since_q) || at >= StepWords || dut.record_q[
                       (StepWords+1+at-32'(since_q))*32+:32] == value_q);
      i_kept : assert (!known_q || phase_q == Reads || idle || at >= StepWords || dut.record_q[at*32+:32] == value_q);
      i_swept : assert (phase_q != Sweeps || (dut.swept_q == swept_q && swept_q < step.sweep_words &&
                        dut.phase_q == swept_q % step.bias_period));
      c_frame : cover (frame_q);
      c_watched : cover (marks_start && known_q && at == 1 && value_q == '1 && step.packet == 2);
      c_swept : cover (sweep_valid && swept_q == 3 && step.bias_period == 2);
    end
  end
  function automatic logic [31:0] mask_of(input logic [31:0] place);
    logic [StepWords*32-1:0] whole;
    whole   = (StepWords * 32)'({StepBits{1'b1}});
    mask_of = whole[place*32+:32];
  endfunction
endmodule
