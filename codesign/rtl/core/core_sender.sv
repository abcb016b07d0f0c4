// SPDX-License-Identifier: Apache-2.0
// Function:   a step: the marked words of an engine, or the beats of the input -> the words of it that changed, with
//             their deltas; or a packet of the output
// Latency:    that of core_marks or core_beats, core_fetch, core_send and core_gather, one after the other
// Throughput: 1 part of a word per cycle
// Timing:     combinational m_axis_tready, ready_i -> enables of core_send
// Reset:      no step
// Model:      codesign.core.interpret
// It only wires. Words of a pass also go to core_codes, which asks ahead for the codes that lie outside. What a change
// does to other engines is core_adder's.
module core_sender
  import core_pkg::*;
  import core_types::*;
(
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            codes_rst_ni,
    input  logic                            skip_i,
    input  step_t                           step_i,
    input  logic                            fresh_i,
    input  logic                            beats_start_i,
    input  logic                            marks_start_i,
    output logic                            dirty_o,
    output logic                            packet_done_o,
    input  logic                            s_axis_tvalid,
    output logic                            s_axis_tready,
    input  logic [ Quantisers*CodeBits-1:0] s_axis_tdata,
    input  logic                            s_axis_tlast,
    input  logic                            s_axis_tuser,
    output logic                            waiting_o,       // a frame is offered
    output logic                            first_o,         // it is the first of its stream
    output logic                            begin_o,         // it begins
    output logic                            malformed_o,     // it ends early or late
    output logic                            m_axis_tvalid,
    input  logic                            m_axis_tready,
    output logic [  Quantisers*SumBits-1:0] m_axis_tdata,
    output logic                            m_axis_tlast,
    output logic [                     1:0] error_o,
    input  logic                            mark_valid_i,
    output logic                            mark_ready_o,
    input  logic [           IndexBits-1:0] mark_word_i,
    input  logic [                     7:0] mark_engine_i,
    output logic                            sum_valid_o,
    input  logic                            sum_ready_i,
    output logic [           IndexBits-1:0] sum_address_o,
    output logic [                     3:0] gap_o,
    input  logic                            sum_valid_i,
    input  logic [       Lanes*SumBits-1:0] sum_data_i,
    output logic                            valid_o,
    input  logic                            ready_i,
    output changed_t                        changed_o,
    output logic [     Lanes*DeltaBits-1:0] deltas_o,
    input  logic [   MemoryAddressBits-1:0] code_origin_i,   // beats of the external memory: the first row of codes
    output logic                            row_read_valid_o,
    input  logic                            row_read_ready_i,
    output logic [   MemoryAddressBits-1:0] row_read_address_o,
    output logic [                     7:0] row_read_beats_o,
    input  logic                            row_data_valid_i,
    input  logic [          MemoryBits-1:0] row_data_i,
    output logic                            row_write_valid_o,
    input  logic                            row_write_ready_i,
    output logic [   MemoryAddressBits-1:0] row_write_address_o,
    output logic [                     7:0] row_write_beats_o,
    output logic [          MemoryBits-1:0] row_write_data_o,
    output logic                            row_write_last_o,
    input  logic                            load_param_i,
    input  logic [           IndexBits-1:0] load_address_i,
    input  logic [Quantisers*ParamBits-1:0] load_data_i
);
  typedef struct packed {
    logic end_of_pass;
    logic [IndexBits-1:0] word;
    logic [3:0] part;
    logic last_part;
    logic [IndexBits-1:0] group;
    logic [Quantisers*SumBits-1:0] z;
  } z_t;

  logic word_valid, word_ready, word_end, aim_valid, aim_end, fetch_word_valid, fetch_word_ready;
  // verilator lint_off UNUSEDSIGNAL
  logic aim_ready;
  // verilator lint_on UNUSEDSIGNAL
  logic mark_word_valid, mark_word_ready, mark_word_end;
  logic [IndexBits-1:0] mark_word, word, aim_word;
  core_marks i_marks (
      .clk_i,
      .rst_ni,
      .set_valid_i(mark_valid_i),
      .set_ready_o(mark_ready_o),
      .set_word_i(mark_word_i),
      .set_engine_i(mark_engine_i),
      .start_i(marks_start_i),
      .step_i,
      .fresh_i(fresh_i || !skip_i),
      .dirty_o,
      .valid_o(mark_word_valid),
      .ready_i(mark_word_ready),
      .end_o(mark_word_end),
      .word_o(mark_word)
  );
  delta_fifo #(.Width(IndexBits + 1), .Depth(1)) i_words (  // what core_fetch waits for ends here
      .clk_i,
      .rst_ni,
      .valid_i(mark_word_valid),
      .ready_o(mark_word_ready),
      .data_i ({mark_word_end, mark_word}),
      .valid_o(word_valid),
      .ready_i(word_ready),
      .data_o ({word_end, word})
  );

  if (HasMemory) begin : g_fork
    logic forked_valid, forked_ready;
    delta_fork u_fork (
        .clk_i,
        .rst_ni,
        .valid_i(word_valid),
        .ready_o(word_ready),
        .valid_o({forked_valid, fetch_word_valid}),
        .ready_i({forked_ready, fetch_word_ready})
    );
    delta_fifo #(.Width(IndexBits + 1), .Depth(1)) i_aims (  // what core_codes waits for ends here
        .clk_i,
        .rst_ni,
        .valid_i(forked_valid),
        .ready_o(forked_ready),
        .data_i ({word_end, word}),
        .valid_o(aim_valid),
        .ready_i(aim_ready),
        .data_o ({aim_end, aim_word})
    );
  end else begin : g_alone
    assign {aim_valid, fetch_word_valid, word_ready} = {1'b0, word_valid, fetch_word_ready};
    assign {aim_end, aim_word} = {word_end, word};
  end

  logic fetch_valid, beats_valid, next_valid, next_ready, z_valid, z_ready;
  z_t fetch_z, beats_z, next_z, z;
  core_fetch i_fetch (
      .clk_i,
      .rst_ni,
      .step_i,
      .valid_i(fetch_word_valid),
      .ready_o(fetch_word_ready),
      .end_i(word_end),
      .word_i(word),
      .sum_valid_o,
      .sum_ready_i,
      .sum_address_o,
      .gap_o,
      .sum_valid_i,
      .sum_data_i,
      .valid_o(fetch_valid),
      .ready_i(next_ready && !step_i.source),
      .end_o(fetch_z.end_of_pass),
      .word_o(fetch_z.word),
      .part_o(fetch_z.part),
      .last_part_o(fetch_z.last_part),
      .group_o(fetch_z.group),
      .z_o(fetch_z.z)
  );
  core_beats i_beats (
      .clk_i,
      .rst_ni,
      .start_i(beats_start_i),
      .step_i,
      .fresh_i,
      .s_axis_tvalid,
      .s_axis_tready,
      .s_axis_tdata,
      .s_axis_tlast,
      .s_axis_tuser,
      .waiting_o,
      .fresh_o(first_o),
      .begin_o,
      .malformed_o,
      .error_early_o(error_o[0]),
      .error_late_o(error_o[1]),
      .valid_o(beats_valid),
      .ready_i(next_ready && step_i.source),
      .end_o(beats_z.end_of_pass),
      .word_o(beats_z.word),
      .part_o(beats_z.part),
      .last_part_o(beats_z.last_part),
      .group_o(beats_z.group),
      .z_o(beats_z.z)
  );
  assign next_z = step_i.source ? beats_z : fetch_z;
  assign next_valid = step_i.source ? beats_valid : fetch_valid;
  delta_fifo #(.Width($bits(z_t)), .Depth(1)) i_z (  // what core_codes and core_send wait for ends here
      .clk_i,
      .rst_ni,
      .valid_i(next_valid),
      .ready_o(next_ready),
      .data_i (next_z),
      .valid_o(z_valid),
      .ready_i(z_ready),
      .data_o (z)
  );

  logic row_valid, row_ready, moves, row, part_valid, part_ready, part_end, part_last;
  logic [IndexBits-1:0] part_word;
  logic [Quantisers-1:0] part_mask;
  logic [Quantisers*CodeBits-1:0] old_codes, new_codes;
  logic [Quantisers*DeltaBits-1:0] part_deltas;
  core_codes i_codes (
      .clk_i,
      .rst_ni(codes_rst_ni),
      .start_i(beats_start_i || marks_start_i),
      .step_i,
      .fresh_i,
      .origin_i(code_origin_i),
      .aim_valid_i(aim_valid),
      .aim_ready_o(aim_ready),
      .aim_end_i(aim_end),
      .aim_word_i(aim_word),
      .valid_i(z_valid),
      .ready_o(z_ready),
      .end_i(z.end_of_pass),
      .word_i(z.word),
      .part_i(z.part),
      .last_part_i(z.last_part),
      .valid_o(row_valid),
      .ready_i(row_ready),
      .enable_i(moves),
      .codes_o(old_codes),
      .row_i(row),
      .row_word_i(part_word),
      .row_last_part_i(part_last),
      .row_changed_i(part_mask != 0),
      .codes_i(new_codes),
      .read_valid_o(row_read_valid_o),
      .read_ready_i(row_read_ready_i),
      .read_address_o(row_read_address_o),
      .read_beats_o(row_read_beats_o),
      .data_valid_i(row_data_valid_i),
      .data_i(row_data_i),
      .write_valid_o(row_write_valid_o),
      .write_ready_i(row_write_ready_i),
      .write_address_o(row_write_address_o),
      .write_beats_o(row_write_beats_o),
      .write_data_o(row_write_data_o),
      .write_last_o(row_write_last_o)
  );
  core_send i_send (
      .clk_i,
      .rst_ni,
      .skip_i,
      .start_i(beats_start_i || marks_start_i),
      .step_i,
      .fresh_i,
      .param_we_i(load_param_i),
      .param_waddr_i(load_address_i),
      .param_wdata_i(load_data_i),
      .valid_i(row_valid),
      .ready_o(row_ready),
      .end_i(z.end_of_pass),
      .word_i(z.word),
      .part_i(z.part),
      .last_part_i(z.last_part),
      .group_i(z.group),
      .z_i(z.z),
      .enable_o(moves),
      .codes_i(old_codes),
      .row_o(row),
      .codes_o(new_codes),
      .valid_o(part_valid),
      .ready_i(part_ready),
      .end_o(part_end),
      .word_o(part_word),
      .last_part_o(part_last),
      .mask_o(part_mask),
      .deltas_o(part_deltas),
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tdata,
      .m_axis_tlast,
      .packet_done_o
  );
  core_gather i_gather (
      .clk_i,
      .rst_ni,
      .valid_i(part_valid),
      .ready_o(part_ready),
      .end_i(part_end),
      .word_i(part_word),
      .last_part_i(part_last),
      .mask_i(part_mask),
      .deltas_i(part_deltas),
      .valid_o,
      .ready_i,
      .end_o(changed_o.end_of_pass),
      .word_o(changed_o.word),
      .mask_o(changed_o.mask),
      .deltas_o
  );
endmodule
