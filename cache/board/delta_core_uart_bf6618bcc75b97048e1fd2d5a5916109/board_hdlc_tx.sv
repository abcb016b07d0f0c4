// SPDX-License-Identifier: Apache-2.0
// Function:   bytes of a packet, the last one marked -> bytes of the line: 7E, the packet, its CRC-32, 7E; 7E and 7D in
//             between leave as 7D, byte ^ 20
// Latency:    0 cycles to the opening flag, which takes no input byte
// Throughput: 1 byte per cycle of the line
// Timing:     combinational valid_i -> valid_o, data_i -> data_o and ready_i -> ready_o
// Reset:      between packets; a reset within a packet cuts it short
// Model:      codesign.host.framing.encode
module board_hdlc_tx (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       valid_i,
    output logic       ready_o,
    input  logic [7:0] data_i,
    input  logic       last_i,
    output logic       valid_o,
    input  logic       ready_i,
    output logic [7:0] data_o
);
  localparam logic [7:0] Flag = 8'h7E, Escape = 8'h7D, Flip = 8'h20;
  typedef enum logic [1:0] {
    Open,  // the flag before a packet
    Body,
    Check,  // its CRC
    Close  // the flag after it
  } state_t;

  state_t state_q;
  logic [1:0] left_q;  // bytes of the CRC after this one
  logic [31:0] crc_q, crc_d;
  logic [7:0] raw;
  logic escaped_q, escape, marker, done;

  assign marker = state_q == Open || state_q == Close;
  assign raw = state_q == Body ? data_i : ~crc_q[7:0];
  assign escape = !marker && !escaped_q && (raw == Flag || raw == Escape);
  assign data_o = marker ? Flag : escape ? Escape : escaped_q ? raw ^ Flip : raw;
  assign valid_o = valid_i || state_q == Check || state_q == Close;
  assign done = valid_o && ready_i;
  assign ready_o = state_q == Body && ready_i && !escape;

  board_crc32 i_crc (
      .crc_i (crc_q),
      .data_i(data_i),
      .crc_o (crc_d)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q   <= Open;
      left_q    <= '0;
      crc_q     <= '1;
      escaped_q <= 1'b0;
    end else if (done) begin
      escaped_q <= escape;
      if (!escape) begin
        case (state_q)
          Open: begin
            state_q <= Body;
            crc_q   <= '1;
          end
          Body: begin
            crc_q  <= crc_d;
            left_q <= 2'd3;
            if (last_i) state_q <= Check;
          end
          Check: begin
            crc_q  <= crc_q >> 8;
            left_q <= left_q - 1'b1;
            if (left_q == 0) state_q <= Close;
          end
          default: state_q <= Open;
        endcase
      end
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> $stable(data_o));
`endif
endmodule
