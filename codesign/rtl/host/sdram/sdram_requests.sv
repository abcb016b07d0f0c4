// SPDX-License-Identifier: Apache-2.0
// Function:   bursts of an AXI4 master -> accesses of an SDRAM, in the order in which they are carried out, none across
//             the end of a row: a burst that crosses 1 KiB becomes two, the second in the next bank
// Latency:    3 cycles from ARVALID or AWVALID to valid_o
// Throughput: an access in 2 cycles
// Timing:     the ready signals are registers; valid_o and its access are, and ready_i enables them
// Reset:      nothing is waiting
// Model:      rtl_tests.bench_sdram.Memory
// Reads and writes take turns where both wait. A write waits outside until its first beat of data is there; once it has
// begun, reads wait for its end. So its data may not wait for a read that is asked for after it.
// Byte address, from the top: row (13), bank (2), beat in the row (8), byte (2): neighbouring rows are in other banks.
module sdram_requests (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic [24:2] s_axi_araddr,
    input  logic [ 7:0] s_axi_arlen,
    input  logic        s_axi_arvalid,
    output logic        s_axi_arready,
    input  logic [24:2] s_axi_awaddr,
    input  logic [ 7:0] s_axi_awlen,
    input  logic        s_axi_awvalid,
    output logic        s_axi_awready,
    input  logic        beat_i,         // of data to write has come
    input  logic        room_i,         // for the responses of writes that are under way, and one more
    output logic        valid_o,
    input  logic        ready_i,
    output logic        write_o,
    output logic        last_o,         // of its burst
    output logic [ 1:0] bank_o,
    output logic [12:0] row_o,
    output logic [ 7:0] beat_o,         // the first
    output logic [ 7:0] more_o          // beats after it
);
  typedef struct packed {
    logic [12:0] row;
    logic [1:0]  bank;
    logic [7:0]  beat;
    logic [7:0]  more;
  } burst_t;

  burst_t read_q, write_q, burst_q;
  logic take_read, take_write, chosen_q, write_chosen_q, second_q, wrote_q;

  // What waits.
  always_ff @(posedge clk_i) begin
    if (s_axi_arready) read_q <= {s_axi_araddr, s_axi_arlen};
    if (s_axi_awready) write_q <= {s_axi_awaddr, s_axi_awlen};
    if (!rst_ni) {s_axi_arready, s_axi_awready} <= '1;
    else begin
      s_axi_arready <= s_axi_arready ? !s_axi_arvalid : take_read;
      s_axi_awready <= s_axi_awready ? !s_axi_awvalid : take_write;
    end
  end

  // Beats of data that came, less those of the writes that were chosen.
  logic signed [9:0] ahead_q;
  logic data_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ahead_q <= '0;
      data_q  <= 1'b0;
    end else begin
      ahead_q <= ahead_q + 10'(beat_i) - (take_write ? 10'(write_q.more) + 10'd1 : 10'd0);
      data_q  <= ahead_q > 0;
    end
  end

  // One of them.
  logic can_read, can_write, splits, move;
  logic [7:0] sum;
  assign can_read = !chosen_q && !s_axi_arready;
  assign can_write = !chosen_q && !s_axi_awready && data_q && room_i;
  assign take_read = can_read && (wrote_q || !can_write);
  assign take_write = can_write && !(wrote_q && can_read);
  assign move = !valid_o || ready_i;
  assign {splits, sum} = {1'b0, burst_q.beat} + {1'b0, burst_q.more};

  always_ff @(posedge clk_i) begin
    if (take_read || take_write) begin
      burst_q <= take_write ? write_q : read_q;
      write_chosen_q <= take_write;
    end
    if (move) begin
      write_o <= write_chosen_q;
      last_o <= second_q || !splits;
      bank_o <= burst_q.bank + 2'(second_q);
      row_o <= burst_q.row;
      beat_o <= second_q ? '0 : burst_q.beat;
      more_o <= second_q ? sum : splits ? ~burst_q.beat : burst_q.more;
    end
    if (!rst_ni) {chosen_q, second_q, valid_o, wrote_q} <= '0;
    else begin
      if (take_read || take_write) begin
        chosen_q <= 1'b1;
        wrote_q  <= take_write;
      end else if (move && (second_q || !splits)) chosen_q <= 1'b0;
      if (move) begin
        valid_o  <= chosen_q;
        second_q <= chosen_q && splits && !second_q;
      end
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_access :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      valid_o && !ready_i |=> $stable({write_o, last_o, bank_o, row_o, beat_o, more_o}));
  a_read :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      s_axi_arvalid |-> {1'b0, s_axi_araddr[11:2]} + 11'(s_axi_arlen) < 11'd1024)
  else $error("sdram_requests: a read crosses 4 KiB");
  a_write :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      s_axi_awvalid |-> {1'b0, s_axi_awaddr[11:2]} + 11'(s_axi_awlen) < 11'd1024)
  else $error("sdram_requests: a write crosses 4 KiB");
`endif
endmodule
