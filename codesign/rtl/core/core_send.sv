// SPDX-License-Identifier: Apache-2.0
// Function:   Quantisers lanes of a word, z = (sum << align) + low, or the number nearest to it that there is -> their
//             deltas, with the parameters of row param_base + group * parts + part and the codes of the part's row; old
//             codes are 0 if fresh_i. In a pass of the output the lanes leave as a beat instead: z (packet 1) or codes
//             (packet 2)
// Latency:    11 cycles to valid_o, 6 to m_axis_tvalid; the first word waits for up to step_i.shift cycles after
//             start_i
// Throughput: 1 part a cycle
// Timing:     combinational ready_i, m_axis_tready -> ready_o, which enables every stage
// Reset:      empty; the memory is not cleared
// Model:      codesign.graph.golden.send, rtl_tests.bench_core_send.Sender
// start_i comes with the step, before the first word; step_i and fresh_i stay until the pass has left. Codes are
// core_codes': codes_i are those of the part that is in stage SendRead, codes_o with row_o what the row of the part in
// stage SendStages becomes; all stages move with enable_o. The end of a packet is packet_done_o, not a token.
// param_we_i: only between passes.
module core_send
  import core_pkg::*;
  import core_types::*;
(
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            skip_i,         // 0: every lane counts as changed
    input  logic                            start_i,
    // verilator lint_off UNUSEDSIGNAL
    input  step_t                           step_i,  // some fields are for others
    input  logic                            fresh_i,
    input  logic                            param_we_i,
    input  logic [           IndexBits-1:0] param_waddr_i,  // below ParamDepth
    // verilator lint_on UNUSEDSIGNAL
    input  logic [Quantisers*ParamBits-1:0] param_wdata_i,
    input  logic                            valid_i,
    output logic                            ready_o,
    input  logic                            end_i,
    input  logic [           IndexBits-1:0] word_i,
    input  logic [                     3:0] part_i,
    input  logic                            last_part_i,
    input  logic [           IndexBits-1:0] group_i,
    input  logic [  Quantisers*SumBits-1:0] z_i,
    output logic                            enable_o,
    input  logic [ Quantisers*CodeBits-1:0] codes_i,
    output logic                            row_o,
    output logic [ Quantisers*CodeBits-1:0] codes_o,
    output logic                            valid_o,
    input  logic                            ready_i,
    output logic                            end_o,
    output logic [           IndexBits-1:0] word_o,
    output logic                            last_part_o,
    output logic [          Quantisers-1:0] mask_o,
    output logic [Quantisers*DeltaBits-1:0] deltas_o,
    output logic                            m_axis_tvalid,
    input  logic                            m_axis_tready,
    output logic [  Quantisers*SumBits-1:0] m_axis_tdata,
    output logic                            m_axis_tlast,
    output logic                            packet_done_o
);
  localparam int unsigned Memory = 3;  // stage with parameters
  localparam int unsigned Read = SendRead;  // and sums on the lattice that is sent
  localparam int unsigned Stages = SendStages;  // and what core_quantise takes
  localparam int unsigned ParamAddressBits = ParamDepth > 1 ? $clog2(ParamDepth) : 1;

  typedef struct packed {
    logic end_of_pass;
    logic last_part;
    logic [IndexBits-1:0] word;
  } head_t;

  logic enable, packet, bounded;
  head_t [Stages:1] head_q;
  logic [Stages:1] valid_q;
  logic [Memory:1][Quantisers*SumBits-1:0] z_q;
  assign enable = (ready_i || !valid_o) && (m_axis_tready || !m_axis_tvalid);
  assign enable_o = enable;
  assign ready_o = enable && bounded;
  assign packet = step_i.packet != 0;

  // The clip range on the lattice of the sums: shifted by a bit a cycle, until it is as wide as can be.
  logic signed [SumBits:0] low_q, high_q;
  logic [5:0] left_q;
  assign bounded = left_q == 0;
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      low_q <= (SumBits + 1)'(step_i.lo);
      high_q <= (SumBits + 1)'(step_i.hi);
    end else if (!bounded) begin
      low_q <= low_q[SumBits] != low_q[SumBits-1] ? {1'b1, SumBits'(0)} : low_q <<< 1;
      high_q <= high_q[SumBits] != high_q[SumBits-1] ? {1'b0, {SumBits{1'b1}}} : high_q <<< 1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) left_q <= '0;
    else if (start_i) left_q <= step_i.shift;
    else if (!bounded) left_q <= left_q - 1'b1;
  end

  // Stage 1: rows from the start of a node's. 2: the memory. 3: its output register.
  logic [IndexBits-1:0] param_row_q, param_part_q;
  logic [ParamAddressBits-1:0] param_row;
  assign param_row = ParamAddressBits'(param_row_q + param_part_q);
  always_ff @(posedge clk_i) begin
    if (enable) begin
      head_q <= {head_q[Stages-1:1], end_i, last_part_i, word_i};
      z_q <= {z_q[Memory-1:1], z_i};
      param_row_q <= rows_of(group_i, step_i.parts);
      param_part_q <= step_i.param_base + IndexBits'(part_i);
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else if (enable) begin
      valid_q <= {valid_q[Stages-1:1], valid_i && bounded};
      if (packet) valid_q[Read+1] <= 1'b0;
    end
  end

  (* no_rw_check, ram_style = "block" *) logic [Quantisers*ParamBits-1:0] params[ParamDepth];
  logic [Quantisers*ParamBits-1:0] params_q2, params_q3, params_q4, params_q5;
  always_ff @(posedge clk_i) begin
    if (enable) begin
      params_q2 <= params[param_row];
      {params_q3, params_q4, params_q5} <= {params_q2, params_q3, params_q4};
    end
  end
  always_ff @(posedge clk_i) begin
    if (param_we_i) params[ParamAddressBits'(param_waddr_i)] <= param_wdata_i;
  end

  for (genvar i = 0; i < Quantisers; i++) begin : g_lane
    // Stage 3: bit k says that a shift by k leaves the number whole. 4 and 5: the sum on the lattice that is sent.
    // verilator lint_off UNUSEDSIGNAL
    param_t param, param_q4;  // most fields are for core_quantise
    // verilator lint_on UNUSEDSIGNAL
    logic [SumBits-1:0] z_q4, z_q5;
    logic [CodeBits-1:0] code;
    localparam int unsigned Shifts = 1 << $bits(param.align);
    logic [SumBits-1:0] z2, edges;
    logic [Shifts-1:0] whole, whole_q3;
    logic over_q4, negative_q4;
    assign z2 = z_q[Memory-1][i*SumBits+:SumBits];
    assign edges = z2 ^ {z2[SumBits-2:0], 1'b0};
    for (genvar k = 0; k < Shifts; k++) begin : g_whole
      assign whole[k] = k < SumBits ? edges >> SumBits - k == 0 : z2 == 0;
    end
    assign param = params_q3[i*ParamBits+:ParamBits];
    assign param_q4 = params_q4[i*ParamBits+:ParamBits];
    assign code = codes_i[i*CodeBits+:CodeBits];
    always_ff @(posedge clk_i) begin
      if (enable) begin
        whole_q3 <= whole;
        over_q4 <= !whole_q3[param.align];
        negative_q4 <= z_q[Memory][(i+1)*SumBits-1];
        z_q4 <= z_q[Memory][i*SumBits+:SumBits] << param.align;
        z_q5 <= over_q4 ? {negative_q4, {(SumBits - 1){!negative_q4}}} : z_q4 + SumBits'(param_q4.low);
      end
    end
    core_quantise u_quantise (
        .clk_i,
        .enable_i (enable),
        .skip_i,
        .relu_i   (step_i.relu),
        .shift_i  (step_i.shift),
        .lo_i     (step_i.lo),
        .hi_i     (step_i.hi),
        .low_i    (low_q),
        .high_i   (high_q),
        .z_i      (z_q5),
        .code_i   (fresh_i ? '0 : code),
        .param_i  (params_q5[i*ParamBits+:ParamBits]),
        .code_o   (codes_o[i*CodeBits+:CodeBits]),
        .delta_o  (deltas_o[i*DeltaBits+:DeltaBits]),
        .changed_o(mask_o[i])
    );
    always_ff @(posedge clk_i) begin
      if (enable) begin
        m_axis_tdata[i*SumBits+:SumBits] <= step_i.packet[1] ? SumBits'($signed(code)) : z_q5;
      end
    end
  end
  assign valid_o = valid_q[Stages];
  assign {end_o, last_part_o, word_o} = head_q[Stages];
  assign row_o = valid_o && !end_o;

  // Beats of a packet leave here.
  always_ff @(posedge clk_i) begin
    if (enable) m_axis_tlast <= head_q[Read].last_part && head_q[Read].word == step_i.words - 1'b1;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) {m_axis_tvalid, packet_done_o} <= '0;
    else begin
      packet_done_o <= enable && packet && valid_q[Read] && head_q[Read].end_of_pass;
      if (enable) m_axis_tvalid <= packet && valid_q[Read] && !head_q[Read].end_of_pass;
    end
  end

`ifndef SYNTHESIS
  a_valid :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=> valid_o);
  a_token :
  assert property (@(posedge clk_i) disable iff (!rst_ni) valid_o && !ready_i |=>
      $stable({end_o, word_o, last_part_o, mask_o, deltas_o}));
  a_beat :
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axis_tvalid && !m_axis_tready |=> m_axis_tvalid);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni) m_axis_tvalid && !m_axis_tready |=>
      $stable({m_axis_tdata, m_axis_tlast}));
`endif
endmodule
