// SPDX-License-Identifier: Apache-2.0
// core_probe, and a memory that answers anything, or fails: the model knows what must be written or read next. Numbers
// are those of a shift register, as a table.
module prove_core_probe
  import core_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic start_i,
    input logic silent_i,
    input logic error_i,
    input logic write_ready_i,
    input logic read_ready_i,
    input logic data_valid_i,
    input logic [MemoryBits-1:0] data_i
);
  localparam int unsigned Beats = MemoryAddressBits + 1;
  typedef enum logic [2:0] {
    Off,
    Restart,
    Writes,
    Reads,
    Answer
  } phase_t;
  logic restart, done, good, write_valid, read_valid;
  logic [MemoryAddressBits-1:0] address;
  logic [MemoryBits-1:0] data;

  assume_reset i_reset (.*);
  core_probe dut (
      .clk_i,
      .rst_ni,
      .start_i,
      .restart_o    (restart),
      .done_o       (done),
      .good_o       (good),
      .silent_i,
      .error_i,
      .write_valid_o(write_valid),
      .write_ready_i,
      .read_valid_o (read_valid),
      .read_ready_i,
      .address_o    (address),
      .data_o       (data),
      .data_valid_i,
      .data_i
  );

  // What is written: a number at each address, its bytes turned round from word to word.
  function automatic logic [Beats-1:0][31:0] numbers();
    numbers[0] = 32'h5EEDC0DE;
    for (int unsigned i = 1; i < Beats; i++) begin
      numbers[i] = (numbers[i-1] >> 1) ^ (numbers[i-1][0] ? 32'hEDB88320 : '0);
    end
  endfunction
  localparam logic [Beats-1:0][31:0] Numbers = numbers();
  function automatic logic [MemoryBits-1:0] pattern(input logic [31:0] number);
    for (int unsigned w = 0; w < MemoryBits / 32; w++) begin
      for (int unsigned b = 0; b < 4; b++) begin
        pattern[w*32+b*8+:8] = number[(b+w)%4*8+:8] ^ 8'(w * 85);
      end
    end
  endfunction

  phase_t phase_q;
  logic [4:0] beat_q;
  logic last, right, fails, done_q, good_q, restart_q, stalled_q;
  logic [$bits({write_valid, read_valid, address, data})-1:0] shown, shown_q;
  assign last  = 32'(beat_q) == Beats - 1;
  assign right = data_i == pattern(Numbers[beat_q]);
  assign fails = (silent_i || error_i) && phase_q != Off && phase_q != Restart;
  assign shown = {write_valid, read_valid, address, data};

  always_ff @(posedge clk_i) begin
    shown_q <= shown;
    if (!rst_ni) begin
      {phase_q, beat_q} <= {Off, 5'd0};
      {done_q, good_q, restart_q, stalled_q} <= '0;
    end else begin
      {done_q, restart_q} <= {1'b0, start_i};
      stalled_q <= ((write_valid && !write_ready_i) || (read_valid && !read_ready_i)) && !start_i && !fails;
      if (start_i) {phase_q, beat_q} <= {Restart, 5'd0};
      else if (fails) {phase_q, done_q, good_q} <= {Off, 2'b10};
      else begin
        case (phase_q)
          Restart: phase_q <= Writes;
          Writes:
          if (write_ready_i) begin
            beat_q <= last ? '0 : beat_q + 1'b1;
            if (last) phase_q <= Reads;
          end
          Reads: if (read_ready_i) phase_q <= Answer;
          Answer:
          if (data_valid_i) begin
            phase_q <= right && !last ? Reads : Off;
            beat_q  <= beat_q + 1'b1;
            {done_q, good_q} <= {!right || last, right};
          end
          default: ;
        endcase
      end

      a_restart : assert (restart == restart_q);
      a_writes : assert (write_valid == (phase_q == Writes));
      a_reads : assert (read_valid == (phase_q == Reads));
      a_address : assert (!(write_valid || read_valid) || address == (beat_q == 0 ? '0 :
                          MemoryAddressBits'(1) << (beat_q - 1'b1)));
      a_numbers : assert (!write_valid || data == pattern(Numbers[beat_q]));
      a_done : assert (done == done_q);
      a_good : assert (!done || good == good_q);
      a_stable : assert (!stalled_q || shown == shown_q);
      i_beat : assert (32'(beat_q) < Beats || phase_q == Off);
      i_state : assert (3'(dut.state_q) == 3'(phase_q));  // they have the same order
      i_place : assert (phase_q == Off || (dut.number_q == Numbers[beat_q] && address == (beat_q == 0 ? '0 :
                        MemoryAddressBits'(1) << (beat_q - 1'b1))));
      c_bad : cover (done && !good && beat_q == 2 && stalled_q == 0);
      c_reads : cover (phase_q == Answer && beat_q == 1);
    end
  end
endmodule
