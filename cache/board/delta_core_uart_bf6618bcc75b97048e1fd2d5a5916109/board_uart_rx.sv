// SPDX-License-Identifier: Apache-2.0
// Function:   serial line, 8N1, -> bytes; a byte whose stop bit is 0 is dropped and error_o pulses instead. The line is
//             synchronised (two flip-flops), filtered (majority of three samples) and read in the middle of each bit
// Latency:    ClockHz / Baud * 9.5 + 5 cycles from the falling edge of the start bit to valid_o, within 1.5 cycles
// Throughput: 1 byte in 10 bits; the next start bit is looked for from the middle of the stop bit on
// Timing:     everything registered; nothing can hold it back
// Reset:      waits for the line to be 1; a reset within a byte may make one wrong byte
// Model:      codesign.host.link (bytes), rtl_tests.bench_board_uart_rx.Line (bits)
// The divider is a 24-bit phase: its rate is wrong by at most ClockHz / Baud / 2^25, below 0.05 % for the parameters
// that are accepted. The samples of a byte are early or late by at most 1.5 cycles, so with C = ClockHz / Baud cycles a
// bit a sender may be off by (0.5 - 1.5 / C) / 9.5 of its rate: 3.3 % at C = 8, 4.8 % at C = 33.
module board_uart_rx #(
    parameter int unsigned ClockHz = 25_000_000,
    parameter int unsigned Baud = 1_000_000
) (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       rx_i,
    output logic       valid_o,
    output logic [7:0] data_o,
    output logic       error_o
);
  if (Baud < 1 || ClockHz / Baud < 8 || ClockHz / Baud >= 16384) begin : g_bad
    $error("board_uart_rx: a bit must take 8 to 16383 cycles");
  end

  localparam logic [63:0] Rate = ((64'(Baud) << 24) + 64'(ClockHz) / 2) / 64'(ClockHz);
  localparam logic [23:0] Increment = Rate[23:0];
  localparam logic [23:0] HalfBit = 24'h800000 + Increment;  // ticks are half a cycle late on average, edges too

  logic [4:0] line_q;  // newest in bit 0
  logic [23:0] phase_q, phase_d;
  logic [3:0] left_q;  // samples to come: 10 the start bit, 9 to 2 the data, 1 the stop bit
  logic line, tick, blocked_q;  // blocked: until the line is 1

  assign line = (line_q[2] && line_q[3]) || (line_q[2] && line_q[4]) || (line_q[3] && line_q[4]);
  assign {tick, phase_d} = {1'b0, phase_q} + {1'b0, Increment};

  always_ff @(posedge clk_i) begin
    line_q <= {line_q[3:0], rx_i};
    if (!rst_ni) begin
      phase_q   <= '0;
      left_q    <= '0;
      blocked_q <= 1'b1;
      valid_o   <= 1'b0;
      error_o   <= 1'b0;
      data_o    <= '0;
    end else begin
      phase_q <= phase_d;
      valid_o <= 1'b0;
      error_o <= 1'b0;
      if (left_q == 0) begin
        if (line) blocked_q <= 1'b0;
        else if (!blocked_q) begin
          left_q  <= 4'd10;
          phase_q <= HalfBit;
        end
      end else if (tick) begin
        left_q <= left_q == 4'd10 && line ? '0 : left_q - 1'b1;  // a start bit that was a glitch
        if (left_q == 4'd1) begin
          valid_o   <= line;
          error_o   <= !line;
          blocked_q <= !line;
        end else data_o <= {line, data_o[7:1]};
      end
    end
  end
endmodule
