// SPDX-License-Identifier: Apache-2.0
// Function:   bytes -> serial line, 8N1: a 0, the bits from the lowest on, a 1
// Latency:    1 cycle from an accepted byte to its start bit
// Throughput: 1 byte in exactly 10 bits; a bit is ClockHz / Baud cycles on average, each rounded down or up
// Timing:     no combinational path from inputs to outputs
// Reset:      line 1; a reset within a byte cuts it short
// Model:      codesign.host.link (bytes), rtl_tests.serial_line.Listener (bits)
// The divider is that of board_uart_rx, with its error.
module board_uart_tx #(
    parameter int unsigned ClockHz = 25_000_000,
    parameter int unsigned Baud = 1_000_000
) (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       valid_i,
    output logic       ready_o,
    input  logic [7:0] data_i,
    output logic       tx_o
);
  if (Baud < 1 || ClockHz / Baud < 8 || ClockHz / Baud >= 16384) begin : g_bad
    $error("board_uart_tx: a bit must take 8 to 16383 cycles");
  end

  localparam logic [63:0] Rate = ((64'(Baud) << 24) + 64'(ClockHz) / 2) / 64'(ClockHz);
  localparam logic [23:0] Increment = Rate[23:0];

  logic [23:0] phase_q;  // a cycle ahead of tick_q
  logic [8:0] bits_q;  // to come after the one on the line
  logic [3:0] left_q;  // bits to finish, the one on the line included
  logic tick_q;

  assign ready_o = left_q == 0 || (left_q == 4'd1 && tick_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      tick_q  <= 1'b0;
      left_q  <= '0;
      bits_q  <= '1;
      tx_o    <= 1'b1;
    end else begin
      {tick_q, phase_q} <= left_q == 0 ? {1'b0, Increment} : {1'b0, phase_q} + {1'b0, Increment};
      if (valid_i && ready_o) begin
        left_q <= 4'd10;
        {bits_q, tx_o} <= {1'b1, data_i, 1'b0};
      end else if (tick_q && left_q != 0) begin
        left_q <= left_q - 1'b1;
        {bits_q, tx_o} <= {1'b1, bits_q};
      end
    end
  end
endmodule
