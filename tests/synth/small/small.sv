// SPDX-License-Identifier: Apache-2.0
// Counter, block RAM, memory file, distributed RAM and multiplier: one of everything that is counted.
module small #(
    parameter bit Skip = 1'b1
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic [ 15:0] data_i,
    output logic [ 31:0] data_o,
    output logic [399:0] wide_o  // more bits than a device has pins
);
  logic [9:0] count_q;
  logic [15:0] memory[1024], rom[1024];
  logic [3:0] shallow[16];
  logic [15:0] word_q, rom_q, sum_q;
  logic [3:0] shallow_q;
  initial $readmemh("rom.mem", rom);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) count_q <= '0;
    else count_q <= count_q + 10'd1;
  end
  always_ff @(posedge clk_i) begin
    memory[count_q] <= data_i;
    word_q <= memory[count_q];
    rom_q <= rom[count_q];
    shallow[count_q[3:0]] <= data_i[3:0];
    shallow_q <= shallow[data_i[7:4]];
    sum_q <= Skip ? word_q + {12'd0, shallow_q} : word_q;
    wide_o <= {25{sum_q ^ rom_q}};
  end
  small_leaf #(
      .Width(16)
  ) i_leaf (
      .clk_i,
      .a_i(sum_q),
      .b_i(rom_q),
      .product_o(data_o)
  );
endmodule
