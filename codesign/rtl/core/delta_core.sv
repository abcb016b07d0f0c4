// SPDX-License-Identifier: Apache-2.0
// Function:   any network as a program: frames of codes in, packets of sums or codes out. For each frame the program's
//             steps one after the other: each sends what changed of one engine to its readers
// Latency:    the whole frame: a packet begins when the last step is done
// Throughput: one frame after the other; in a step, sending and adding overlap
// Timing:     ready and valid of both AXI4-Streams depend on registers
// Reset:      no network; the next frame after a load starts a stream. So it is if the memory outside fails: a frame
//             that is inside has no packet then, or not all of it
// Model:      codesign.core.interpret
// A network is loaded by load_*, in the format of codesign.core.image, between two frames. probe_o: 0 an operation
// begins, 1 one waits for a sum, 2 a frame is done, 3 a frame is inside, 4 one begins, 5 one ends early or late, 6 it
// starts a stream, 15..8 the step, 23..16 the engine of the operation, 31..24 events that begin.
module delta_core
  import core_pkg::*;
  import core_types::*;
(
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  logic                           restart_i,      // resets all but the network that is loaded
    input  logic                           skip_i,         // 0: every element counts as changed
    input  logic                           load_forget_i,  // no network; the next word is the first one of an image
    input  logic                           load_valid_i,
    output logic                           load_ready_o,
    input  logic [                   31:0] load_data_i,
    input  logic                           load_last_i,
    output logic                           loaded_o,
    output logic [                    3:0] load_error_o,
    output logic [                   31:0] load_crc_o,     // of the words that came so far
    output logic [                   31:0] design_id_o,
    output logic [                   31:0] beats_o,        // of a frame
    input  logic                           s_axis_tvalid,
    output logic                           s_axis_tready,
    input  logic [Quantisers*CodeBits-1:0] s_axis_tdata,
    input  logic                           s_axis_tlast,
    input  logic                           s_axis_tuser,   // the first beat of a frame: it starts a stream
    output logic                           m_axis_tvalid,
    input  logic                           m_axis_tready,
    output logic [ Quantisers*SumBits-1:0] m_axis_tdata,
    output logic                           m_axis_tlast,
    // the memory outside, with HasMemory
    // verilator lint_off UNUSEDSIGNAL
    output logic [                   31:0] m_axi_araddr,
    output logic [7:0]                    m_axi_arlen,
    output logic [2:0]                    m_axi_arsize,
    output logic [1:0]                    m_axi_arburst,
    output logic                          m_axi_arvalid,
    input  logic                          m_axi_arready,
    input  logic [MemoryBits-1:0]         m_axi_rdata,
    input  logic [1:0]                    m_axi_rresp,
    input  logic                          m_axi_rlast,
    input  logic                          m_axi_rvalid,
    output logic                          m_axi_rready,
    output logic [                   31:0] m_axi_awaddr,
    output logic [7:0]                    m_axi_awlen,
    output logic [2:0]                    m_axi_awsize,
    output logic [1:0]                    m_axi_awburst,
    output logic                          m_axi_awvalid,
    input  logic                          m_axi_awready,
    output logic [MemoryBits-1:0]         m_axi_wdata,
    output logic [MemoryBits/8-1:0]       m_axi_wstrb,
    output logic                          m_axi_wlast,
    output logic                          m_axi_wvalid,
    input  logic                          m_axi_wready,
    input  logic [1:0]                    m_axi_bresp,
    input  logic                          m_axi_bvalid,
    output logic                          m_axi_bready,
    // verilator lint_on UNUSEDSIGNAL
    output logic [                    1:0] error_o,        // early TLAST, late TLAST; sticky
    output logic [                   31:0] probe_o
);
  localparam int unsigned MostWords = ParamWords > WalkWords ? ParamWords : WalkWords;
  localparam int unsigned Top = MostWords * 32;
  typedef logic [IndexBits-1:0] index_t;

  // Reset from power-up on. outside: what reads and writes the memory outside.
  // verilator lint_off PROCASSINIT
  logic core_rst_n = 1'b0, outside_rst_n = 1'b0;
  // verilator lint_on PROCASSINIT
  logic load_restart, lost;
  always_ff @(posedge clk_i) begin
    core_rst_n <= rst_ni && !restart_i && !lost;
    outside_rst_n <= rst_ni && !restart_i && !lost && !load_restart;
  end

  // The memory outside. Reads of words of sums, lines of weights, rows of codes, and by core_load; writes of words, rows,
  // and by core_load.
  localparam int unsigned Readers = 4, Writers = 3;
  // verilator lint_off UNUSEDSIGNAL
  logic [Readers-1:0] read_valid, read_ready, data_valid;
  logic [Readers-1:0][MemoryAddressBits-1:0] read_address;
  logic [Readers-1:0][7:0] read_beats;
  logic [Writers-1:0] write_valid, write_ready, write_last;
  logic [Writers-1:0][MemoryAddressBits-1:0] write_address;
  logic [Writers-1:0][7:0] write_beats;
  logic [Writers-1:0][MemoryBits-1:0] write_data;
  logic [MemoryBits-1:0] data;
  logic data_last, memory_idle, memory_silent, memory_error;
  // verilator lint_on UNUSEDSIGNAL

  // Loading.
  logic idle, loaded;
  logic [7:0] steps;
  // verilator lint_off UNUSEDSIGNAL
  logic [31:0] code_origin, line_origin;
  // verilator lint_on UNUSEDSIGNAL
  logic [4:0] write;
  logic [Lanes-1:0] write_weight, write_sum;
  index_t address;
  logic [Top-1:0] line;
  logic [31:0] word;
  core_load i_load (
      .clk_i,
      .rst_ni,
      .idle_i(idle),
      .forget_i(load_forget_i),
      .load_valid_i,
      .load_ready_o,
      .load_data_i,
      .load_last_i,
      .loaded_o(loaded),
      .error_o(load_error_o),
      .crc_o(load_crc_o),
      .design_id_o,
      .beats_o,
      .steps_o(steps),
      .code_origin_o(code_origin),
      .line_origin_o(line_origin),
      .write_o(write),
      .write_weight_o(write_weight),
      .write_sum_o(write_sum),
      .address_o(address),
      .line_o(line),
      .word_o(word),
      .restart_i,
      .memory_restart_o(load_restart),
      .lost_o(lost),
      .memory_idle_i(memory_idle),
      .memory_silent_i(memory_silent),
      .memory_error_i(memory_error),
      .write_valid_o(write_valid[2]),
      .write_ready_i(write_ready[2]),
      .write_address_o(write_address[2]),
      .write_data_o(write_data[2]),
      .read_valid_o(read_valid[3]),
      .read_ready_i(read_ready[3]),
      .read_address_o(read_address[3]),
      .data_valid_i(data_valid[3]),
      .data_i(data)
  );
  assign loaded_o = loaded;

  // The program.
  step_t step;
  logic waiting, first, begin_frame, malformed, fresh, beats_start, marks_start, dirty, done, packet_done, frame;
  logic sweep_valid, sweep_ready;
  index_t sweep_read, sweep_write;
  logic [7:0] step_index;
  core_sequence i_sequence (
      .clk_i,
      .rst_ni(core_rst_n),
      .loaded_i(loaded),
      .steps_i(steps),
      .idle_o(idle),
      .beat_valid_i(waiting),
      .beat_first_i(first),
      .step_o(step),
      .index_o(step_index),
      .fresh_o(fresh),
      .beats_start_o(beats_start),
      .marks_start_o(marks_start),
      .dirty_i(dirty || !skip_i),
      .done_i(done),
      .packet_done_i(packet_done),
      .sweep_valid_o(sweep_valid),
      .sweep_ready_i(sweep_ready),
      .sweep_read_o(sweep_read),
      .sweep_write_o(sweep_write),
      .frame_o(frame),
      .load_i(write[0]),
      .load_address_i(address),
      .load_data_i(line[Top-1-:32])
  );

  // The memory outside.
  assign read_beats[3] = 8'd1;
  assign {write_beats[2], write_last[2]} = {8'd1, 1'b1};
  if (HasMemory) begin : g_memory
    core_memory #(
        .Readers(Readers),
        .Writers(Writers)
    ) i_memory (
        .clk_i,
        .rst_ni,
        .restart_i(restart_i || load_restart || lost),
        .read_valid_i(read_valid),
        .read_ready_o(read_ready),
        .read_address_i(read_address),
        .read_beats_i(read_beats),
        .data_valid_o(data_valid),
        .data_o(data),
        .data_last_o(data_last),
        .write_valid_i(write_valid),
        .write_ready_o(write_ready),
        .write_address_i(write_address),
        .write_beats_i(write_beats),
        .write_data_i(write_data),
        .write_last_i(write_last),
        .idle_o(memory_idle),
        .silent_o(memory_silent),
        .error_o(memory_error),
        .m_axi_araddr,
        .m_axi_arlen,
        .m_axi_arsize,
        .m_axi_arburst,
        .m_axi_arvalid,
        .m_axi_arready,
        .m_axi_rdata,
        .m_axi_rresp,
        .m_axi_rlast,
        .m_axi_rvalid,
        .m_axi_rready,
        .m_axi_awaddr,
        .m_axi_awlen,
        .m_axi_awsize,
        .m_axi_awburst,
        .m_axi_awvalid,
        .m_axi_awready,
        .m_axi_wdata,
        .m_axi_wstrb,
        .m_axi_wlast,
        .m_axi_wvalid,
        .m_axi_wready,
        .m_axi_bresp,
        .m_axi_bvalid,
        .m_axi_bready
    );
  end else begin : g_no_memory
    assign {read_ready, data_valid, data, data_last, write_ready} = '0;
    assign {memory_idle, memory_silent, memory_error} = '0;
    assign {m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst, m_axi_arvalid, m_axi_rready} = '0;
    assign {m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst, m_axi_awvalid} = '0;
    assign {m_axi_wdata, m_axi_wstrb, m_axi_wlast, m_axi_wvalid, m_axi_bready} = '0;
  end

  // What changed, and what that changes.
  logic mark_valid, mark_ready, set_valid, set_ready, ask_valid, ask_ready, sum_valid, issued, stalled;
  logic sent_valid, sent_ready, changed_valid, changed_ready;
  index_t mark_word, set_word, ask_address;
  logic [3:0] gap;
  logic [7:0] mark_engine, set_engine, engine;
  logic [Lanes*SumBits-1:0] sum_data;
  changed_t sent, changed;
  logic [Lanes*DeltaBits-1:0] sent_deltas, deltas;
  core_sender i_sender (
      .clk_i,
      .rst_ni(core_rst_n),
      .codes_rst_ni(outside_rst_n),
      .skip_i,
      .step_i(step),
      .fresh_i(fresh),
      .beats_start_i(beats_start),
      .marks_start_i(marks_start),
      .dirty_o(dirty),
      .packet_done_o(packet_done),
      .s_axis_tvalid,
      .s_axis_tready,
      .s_axis_tdata,
      .s_axis_tlast,
      .s_axis_tuser,
      .waiting_o(waiting),
      .first_o(first),
      .begin_o(begin_frame),
      .malformed_o(malformed),
      .m_axis_tvalid,
      .m_axis_tready,
      .m_axis_tdata,
      .m_axis_tlast,
      .error_o,
      .mark_valid_i(set_valid),
      .mark_ready_o(set_ready),
      .mark_word_i(set_word),
      .mark_engine_i(set_engine),
      .sum_valid_o(ask_valid),
      .sum_ready_i(ask_ready),
      .sum_address_o(ask_address),
      .gap_o(gap),
      .sum_valid_i(sum_valid),
      .sum_data_i(sum_data),
      .valid_o(sent_valid),
      .ready_i(sent_ready),
      .changed_o(sent),
      .deltas_o(sent_deltas),
      .code_origin_i(MemoryAddressBits'(code_origin)),
      .row_read_valid_o(read_valid[2]),
      .row_read_ready_i(read_ready[2]),
      .row_read_address_o(read_address[2]),
      .row_read_beats_o(read_beats[2]),
      .row_data_valid_i(data_valid[2]),
      .row_data_i(data),
      .row_write_valid_o(write_valid[1]),
      .row_write_ready_i(write_ready[1]),
      .row_write_address_o(write_address[1]),
      .row_write_beats_o(write_beats[1]),
      .row_write_data_o(write_data[1]),
      .row_write_last_o(write_last[1]),
      .load_param_i(write[4]),
      .load_address_i(address),
      .load_data_i(line[Top-ParamWords*32+:Quantisers*ParamBits])
  );
  // What either of them waits for ends here. A step begins long after the last mark of the one before.
  delta_fifo #(.Width($bits(changed_t) + Lanes * DeltaBits), .Depth(1)) i_sent (
      .clk_i,
      .rst_ni(core_rst_n),
      .valid_i(sent_valid),
      .ready_o(sent_ready),
      .data_i ({sent, sent_deltas}),
      .valid_o(changed_valid),
      .ready_i(changed_ready),
      .data_o ({changed, deltas})
  );
  delta_fifo #(.Width(IndexBits + 8), .Depth(1)) i_set (
      .clk_i,
      .rst_ni(core_rst_n),
      .valid_i(mark_valid),
      .ready_o(mark_ready),
      .data_i ({mark_word, mark_engine}),
      .valid_o(set_valid),
      .ready_i(set_ready),
      .data_o ({set_word, set_engine})
  );
  core_adder i_adder (
      .clk_i,
      .rst_ni(outside_rst_n),
      .forget_i(!loaded),
      .line_origin_i(MemoryAddressBits'(line_origin)),
      .read_valid_o(read_valid[1:0]),
      .read_ready_i(read_ready[1:0]),
      .read_address_o(read_address[1:0]),
      .read_beats_o(read_beats[1:0]),
      .data_valid_i(data_valid[1:0]),
      .data_i(data),
      .data_last_i(data_last),
      .write_valid_o(write_valid[0]),
      .write_ready_i(write_ready[0]),
      .write_address_o(write_address[0]),
      .write_beats_o(write_beats[0]),
      .write_data_o(write_data[0]),
      .write_last_o(write_last[0]),
      .reader_base_i(step.reader_base[7:0]),
      .readers_i(step.readers),
      .valid_i(changed_valid),
      .ready_o(changed_ready),
      .changed_i(changed),
      .deltas_i(deltas),
      .mark_valid_o(mark_valid),
      .mark_ready_i(mark_ready),
      .mark_word_o(mark_word),
      .mark_engine_o(mark_engine),
      .word_beats_i({step.narrow, step.word_beats}),
      .ask_valid_i(ask_valid),
      .ask_ready_o(ask_ready),
      .ask_address_i(ask_address),
      .gap_i(gap),
      .sum_valid_o(sum_valid),
      .sum_data_o(sum_data),
      .sweep_valid_i(sweep_valid),
      .sweep_ready_o(sweep_ready),
      .sweep_read_i(sweep_read),
      .sweep_write_i(sweep_write),
      .done_o(done),
      .issued_o(issued),
      .stalled_o(stalled),
      .engine_o(engine),
      .load_place_i(write[1]),
      .load_walk_i(write[2]),
      .load_table_i(write[3]),
      .load_weight_i(write_weight),
      .load_sum_i(write_sum),
      .load_address_i(address),
      .load_place_data_i(line[Top-PlaceWords*32+:PlaceBits]),
      .load_walk_data_i(line[Top-WalkWords*32+:WalkBits]),
      .load_table_data_i(line[Top-TableWords*32+:TableBits]),
      .load_word_i(LoadBits'(word))
  );

  logic [7:0] events;
  always_comb begin
    events = '0;
    for (int l = 0; l < int'(Lanes); l++) events += 8'(changed.mask[l]);
    if (!changed_valid || !changed_ready || changed.end_of_pass) events = '0;
  end
  assign probe_o = {events, engine, step_index, 1'b0, fresh, malformed, begin_frame, !idle, frame, stalled, issued};
endmodule
