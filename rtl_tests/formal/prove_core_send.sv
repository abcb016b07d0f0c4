// SPDX-License-Identifier: Apache-2.0
// core_send, with a stand-in for core_quantise that keeps what it takes: every part that is taken moves through the
// model as through the leaf's stages. One row of parameters is watched, any one: what is said of numbers is said of its
// parts.
module prove_core_send
  import core_pkg::*;
  import core_types::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic skip_i,
    input logic start_i,
    input logic relu_i,
    input logic [1:0] packet_i,
    input logic [IndexBits-1:0] words_i,
    input logic [3:0] parts_i,
    input logic [IndexBits-1:0] param_base_i,
    input logic [CodeBits-1:0] lo_i,
    input logic [CodeBits-1:0] hi_i,
    input logic [5:0] shift_i,
    input logic fresh_i,
    input logic param_we_i,
    input logic [IndexBits-1:0] param_waddr_i,
    input logic [Quantisers-1:0][ParamBits-1:0] param_wdata_i,
    input logic valid_i,
    input logic end_i,
    input logic [IndexBits-1:0] word_i,
    input logic [3:0] part_i,
    input logic last_part_i,
    input logic [IndexBits-1:0] group_i,
    input logic [Quantisers-1:0][SumBits-1:0] z_i,
    input logic [Quantisers-1:0][CodeBits-1:0] codes_i,
    input logic ready_i,
    input logic m_axis_tready,
    input logic [IndexBits-1:0] some_row_i
);
  localparam int unsigned ParamAddressBits = ParamDepth > 1 ? $clog2(ParamDepth) : 1;
  localparam int unsigned Read = 5;  // stage of a row's codes
  localparam int unsigned Last = 11;
  localparam int unsigned Wide = 2 * SumBits + 40;
  typedef logic signed [Wide-1:0] value_t;
  typedef struct packed {
    logic skip;
    logic relu;
    logic [5:0] shift;
    logic [CodeBits-1:0] lo;
    logic [CodeBits-1:0] hi;
    logic [SumBits:0] low;
    logic [SumBits:0] high;
    logic [SumBits-1:0] z;
    logic [CodeBits-1:0] code;
    param_t param;
  } taken_t;  // by core_quantise
  step_t step;
  logic ready, moves_o, row_o, valid, end_of_pass, last_part, tvalid, tlast, done;
  logic [IndexBits-1:0] word;
  logic [Quantisers-1:0] mask;
  logic [Quantisers-1:0][CodeBits-1:0] codes;
  logic [Quantisers-1:0][DeltaBits-1:0] deltas;
  logic [Quantisers-1:0][SumBits-1:0] tdata;
  always_comb begin
    step = '0;
    {step.relu, step.packet, step.words, step.parts} = {relu_i, packet_i, words_i, parts_i};
    {step.param_base, step.lo, step.hi, step.shift} = {param_base_i, lo_i, hi_i, shift_i};
  end

  assume_reset i_reset (.*);
  core_send dut (
      .clk_i,
      .rst_ni,
      .skip_i,
      .start_i,
      .step_i       (step),
      .fresh_i,
      .param_we_i,
      .param_waddr_i,
      .param_wdata_i,
      .valid_i,
      .ready_o      (ready),
      .end_i,
      .word_i,
      .part_i,
      .last_part_i,
      .group_i,
      .z_i,
      .enable_o     (moves_o),
      .codes_i,
      .row_o,
      .codes_o      (codes),
      .valid_o      (valid),
      .ready_i,
      .end_o        (end_of_pass),
      .word_o       (word),
      .last_part_o  (last_part),
      .mask_o       (mask),
      .deltas_o     (deltas),
      .m_axis_tvalid(tvalid),
      .m_axis_tready,
      .m_axis_tdata (tdata),
      .m_axis_tlast (tlast),
      .packet_done_o(done)
  );

  // The stages: parts and ends, and their numbers from core_quantise's first one on.
  typedef struct packed {
    logic end_of_pass;
    logic last_part;
    logic [IndexBits-1:0] word;
    logic watched;  // of the watched row
    logic [IndexBits-1:0] row;
    logic [Quantisers-1:0][SumBits-1:0] z;  // on the lattice that is sent from stage Read + 1 on
    logic [Quantisers-1:0][CodeBits-1:0] code;
  } part_t;
  part_t [Last:1] part_q;
  logic [Last:1] valid_q;
  part_t taken;
  logic moves, take, packet;
  logic [IndexBits-1:0] row_q;  // the watched one
  logic [Quantisers-1:0][ParamBits-1:0] params_q;
  logic known_q;  // it was written
  assign moves = (ready_i || !valid) && (m_axis_tready || !tvalid);
  assign take = valid_i && ready;
  assign packet = packet_i != 0;
  always_comb begin
    taken = '{end_of_pass: end_i, last_part: last_part_i, word: word_i, z: z_i, code: '0, default: '0};
    taken.row = param_base_i + group_i * IndexBits'(parts_i) + IndexBits'(part_i);
    taken.watched = known_q && !end_i && taken.row == row_q;
  end

  // z = sum * 2^align + low, or the number nearest to it.
  function automatic logic [SumBits-1:0] on_lattice(input logic [SumBits-1:0] sum, input param_t param);
    value_t exact, most;
    most = (value_t'(1) <<< (SumBits - 1)) - 1;
    exact = (value_t'($signed(sum)) <<< param.align) + value_t'({1'b0, param.low});
    on_lattice = exact > most ? SumBits'(most) : exact < -most - 1 ? SumBits'(-most - 1) : SumBits'(exact);
  endfunction
  function automatic logic fits(input logic [SumBits-1:0] sum, input logic [4:0] places);
    value_t exact, most;
    most = (value_t'(1) <<< (SumBits - 1)) - 1;
    exact = value_t'($signed(sum)) <<< places;
    fits = exact <= most && exact >= -most - 1;
  endfunction
  // A clip bound on the lattice of the sums, as far as that goes.
  function automatic logic [SumBits:0] limit(input logic signed [CodeBits-1:0] code, input logic [5:0] shift);
    value_t value, most;
    most = (value_t'(1) <<< SumBits) - 1;
    value = 32'(shift) > SumBits ? (code < 0 ? -most - 1 : code > 0 ? most : '0) : value_t'(code) <<< shift;
    limit = value > most ? (SumBits + 1)'(most) : value < -most - 1 ? (SumBits + 1)'(-most - 1) : (SumBits + 1)'(value);
  endfunction

  // The pass.
  logic open_q, busy, beat_q, done_q, beat_last_q, stalled_q, beat_stalled_q, ranged;
  logic [5:0] since_q, left;  // cycles since the start; until the clip range is ready
  logic [$bits({end_of_pass, last_part, word, mask, deltas, codes, row_o})-1:0] shown, shown_q;
  logic [$bits({tdata, tlast})-1:0] beat_shown, beat_shown_q;
  logic [$bits({skip_i, relu_i, packet_i, words_i, parts_i, param_base_i, lo_i, hi_i, shift_i, fresh_i})-1:0] stays,
      stays_q;
  assign busy = open_q || valid_q != '0 || tvalid;
  assign ranged = since_q >= shift_i;
  assign left = ranged ? '0 : shift_i - since_q;
  assign shown = {end_of_pass, last_part, word, mask, deltas, codes, row_o};
  assign beat_shown = {tdata, tlast};
  assign stays = {skip_i, relu_i, packet_i, words_i, parts_i, param_base_i, lo_i, hi_i, shift_i, fresh_i};

  logic past_q = 1'b0;
  always_ff @(posedge clk_i) begin
    past_q <= 1'b1;
    if (!past_q) row_q <= some_row_i;
    stays_q <= stays;
    m_row : assume (!past_q || 32'(row_q) < ParamDepth);
    m_start : assume (!start_i || !busy);
    m_stays : assume (!rst_ni || !busy || stays == stays_q);
    m_range : assume ($signed(lo_i) <= 0 && $signed(hi_i) >= 0);
    m_valid : assume (!valid_i || open_q);
    m_parts : assume (parts_i != 0 && 32'(parts_i) <= MostParts);
    m_inside : assume (end_i || 32'(taken.row) < ParamDepth);
    m_write : assume (!param_we_i || (!busy && !start_i && 32'(param_waddr_i) < ParamDepth));

    if (!past_q) known_q <= 1'b0;
    else if (param_we_i && param_waddr_i == row_q) {known_q, params_q} <= {1'b1, param_wdata_i};
    if (past_q) i_memory : assert (!known_q || dut.params[row_q[ParamAddressBits-1:0]] == params_q);

    {shown_q, beat_shown_q} <= {shown, beat_shown};
    if (moves) begin
      part_q <= {part_q[Last-1:1], taken};
      for (int unsigned i = 0; i < Quantisers; i++) begin
        part_q[Read+1].z[i] <= on_lattice(part_q[Read].z[i], param_t'(params_q[i]));
        part_q[Read+1].code[i] <= codes_i[i];
      end
      beat_last_q <= part_q[Read].last_part && part_q[Read].word == words_i - 1'b1;
    end
    if (!rst_ni) {open_q, valid_q, beat_q, done_q, stalled_q, beat_stalled_q} <= '0;
    else begin
      if (start_i) {open_q, since_q} <= {1'b1, 6'b0};
      else begin
        if (take && end_i) open_q <= 1'b0;
        if (!ranged) since_q <= since_q + 1'b1;
      end
      if (moves) begin
        valid_q <= {valid_q[Last-1:1], take};
        if (packet) valid_q[Read+1] <= 1'b0;
        beat_q <= packet && valid_q[Read] && !part_q[Read].end_of_pass;
      end
      done_q <= moves && packet && valid_q[Read] && part_q[Read].end_of_pass;
      stalled_q <= valid && !ready_i;
      beat_stalled_q <= tvalid && !m_axis_tready;

      a_moves : assert (moves_o == moves);
      a_ready : assert (!open_q || ready == (moves && ranged));
      a_offered : assert (valid == valid_q[Last]);
      a_part : assert (!valid || (end_of_pass == part_q[Last].end_of_pass && (end_of_pass ||
                       {word, last_part} == {part_q[Last].word, part_q[Last].last_part})));
      a_row : assert (row_o == (valid && !part_q[Last].end_of_pass));
      a_beat : assert (tvalid == beat_q);
      a_last : assert (!tvalid || tlast == beat_last_q);
      a_done : assert (done == done_q && !(done && tvalid));
      a_stable : assert ((!stalled_q || (valid && shown == shown_q)) &&
                         (!beat_stalled_q || (tvalid && beat_shown == beat_shown_q)));
      i_valid : assert (dut.valid_q == valid_q && (!packet || valid_q[Last:Read+1] == '0) && (packet || !tvalid));
      i_range : assert (!busy || (dut.left_q == left && dut.low_q == limit(lo_i, shift_i - left) &&
                                  dut.high_q == limit(hi_i, shift_i - left)));
      i_taken : assert (valid_q == '0 || ranged);
      c_packet : cover (tvalid && !m_axis_tready && packet_i == 1 && valid_q[Read:1] == '1 && part_q[Read].watched);
      c_parts : cover (valid && !ready_i && valid_q == '1 && part_q[Last].watched && !fresh_i && shift_i == 1);
    end
  end
  logic [IndexBits-1:0] row_number;
  logic [5:2][Quantisers*ParamBits-1:0] params_at;
  assign params_at = {dut.params_q5, dut.params_q4, dut.params_q3, dut.params_q2};
  assign row_number = dut.param_row_q + dut.param_part_q;
  for (genvar s = 1; s <= Last; s++) begin : g_stage
    always_ff @(posedge clk_i) begin
      if (rst_ni && valid_q[s]) begin
        i_head : assert (dut.head_q[s] == {part_q[s].end_of_pass, part_q[s].last_part, part_q[s].word});
        if (s == 1) i_row : assert (part_q[s].end_of_pass || row_number == part_q[s].row);
        i_watched : assert (!part_q[s].watched || (known_q && !part_q[s].end_of_pass && part_q[s].row == row_q));
        if (s <= 3) i_sum : assert (dut.z_q[s] == part_q[s].z);
        if (s >= 2 && s <= 5) i_param : assert (!part_q[s].watched || params_at[s] == params_q);
      end
    end
  end
  for (genvar i = 0; i < int'(Quantisers); i++) begin : g_lane
    param_t param;
    logic [SumBits-1:0] z_3, z_4, z_5;
    assign param = params_q[i];
    assign {z_3, z_4, z_5} = {part_q[3].z[i], part_q[4].z[i], part_q[5].z[i]};
    taken_t [Last:Read+1] expected;
    taken_t given;
    for (genvar s = Read + 1; s <= int'(Last); s++) begin : g_taken
      assign expected[s] = '{
              skip: skip_i,
              relu: relu_i,
              shift: shift_i,
              lo: lo_i,
              hi: hi_i,
              low: limit(lo_i, shift_i),
              high: limit(hi_i, shift_i),
              z: part_q[s].z[i],
              code: fresh_i ? '0 : part_q[s].code[i],
              param: param
          };
      always_ff @(posedge clk_i) begin
        if (rst_ni && valid_q[s] && part_q[s].watched) begin
          if (s == Read + 1) a_taken : assert (dut.g_lane[i].u_quantise.taken_q[1] == expected[s]);
          else i_kept : assert (dut.g_lane[i].u_quantise.taken_q[s-Read] == expected[s]);
        end
      end
    end
    assign given = expected[Last];
    always_ff @(posedge clk_i) begin
      m_param : assume (!known_q || (32'(param.align) < SumBits && 32'(param.low) < 32'(1) << param.align));
      if (rst_ni) begin
        if (valid && part_q[Last].watched) begin
          a_code : assert (codes[i] == (given.code ^ given.z[CodeBits-1:0]));
          a_delta : assert (deltas[i] == (DeltaBits'(given.z) ^ DeltaBits'(given.code)));
          a_changed : assert (mask[i] == (given.z[0] ^ given.param.valid));
        end
        if (tvalid && packet_i[1]) begin
          a_codes_sent : assert (tdata[i] == SumBits'($signed(part_q[Read+1].code[i])));
        end
        if (tvalid && !packet_i[1] && part_q[Read+1].watched) a_sums_sent : assert (tdata[i] == part_q[Read+1].z[i]);
        if (valid_q[3] && part_q[3].watched) begin
          i_whole : assert (dut.g_lane[i].whole_q3[param.align] == fits(z_3, param.align));
        end
        if (valid_q[4] && part_q[4].watched) begin
          i_4 : assert (dut.g_lane[i].over_q4 == !fits(z_4, param.align) &&
                        dut.g_lane[i].negative_q4 == z_4[SumBits-1] &&
                        dut.g_lane[i].z_q4 == z_4 << param.align);
        end
        if (valid_q[5] && part_q[5].watched) i_5 : assert (dut.g_lane[i].z_q5 == on_lattice(z_5, param));
      end
    end
  end
endmodule
