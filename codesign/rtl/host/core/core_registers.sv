// SPDX-License-Identifier: Apache-2.0
// Function:   what a host reads of a core: what it is built with, its network, status, counters; and its reset. The map is
//             codesign.host.core_map. status_o: 0 a frame ended early, 1 or late, both since the reset; 2 the last frame
//             started a stream; 3 its packet was longer than what is kept
// Latency:    3 cycles from read_i to read_valid_o; 1 from write_i to written_o, or 513 if it is a reset
// Throughput: 1 request at a time
// Timing:     all outputs are registers, but error_i and cut_i -> status_o
// Reset:      as by its own register: 512 cycles, in which the counters of steps and engines are set to 0; restart_o is high
// Model:      codesign.host.core_map, rtl_tests.bench_core_registers.Counted
// Counters of steps and engines are read while no frame is inside, and only then: the last one answered them.
module core_registers
  import core_pkg::*;
#(
    parameter int unsigned ClockHz = 0,      // 0: not known
    parameter int unsigned FrameWords = 2,   // most words of a frame on the line
    parameter int unsigned PacketWords = 2,  // most words of a packet
    parameter bit Skip = 1'b1
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        read_i,
    input  logic        write_i,
    input  logic [12:2] address_i,     // stays until the answer
    // verilator lint_off UNUSEDSIGNAL
    input  logic [31:0] data_i,
    // verilator lint_on UNUSEDSIGNAL
    output logic        read_valid_o,
    output logic [31:0] read_data_o,
    output logic        written_o,
    output logic        restart_o,     // of the core; nothing is begun meanwhile
    output logic        forget_o,      // what has come of an image
    output logic        frame_o,       // a frame is done, and status_o is that after it
    output logic [ 7:0] status_o,
    input  logic [31:0] probe_i,       // of delta_core
    input  logic [ 1:0] error_i,
    input  logic        loaded_i,
    input  logic [ 3:0] load_error_i,
    input  logic [31:0] load_crc_i,
    input  logic [31:0] design_id_i,
    input  logic [31:0] beats_i,       // of a frame
    input  logic [15:0] packet_words_i,  // of the last packet
    input  logic        cut_i
);
  localparam logic [31:0] CoreMagic = 32'h44434F52, MapVersion = 32'd2;  // DCOR
  localparam logic [12:2] Control = 11'h003;
  localparam logic [1:0] Fixed = 2'd0, Engines = 2'd2, Steps = 2'd3;  // what 2 KiB of the map hold

  // verilator lint_off UNUSEDSIGNAL
  logic [31:0] probe_q;
  // verilator lint_on UNUSEDSIGNAL
  logic begins, waits, frame, fresh_q;
  logic [7:0] events;
  always_ff @(posedge clk_i) probe_q <= restart_o ? '0 : probe_i;
  assign {begins, waits, frame} = {probe_q[0], probe_q[1], probe_q[2]};
  assign events = probe_q[31:24];

  // Reset, and what counts for the core as a whole.
  logic [8:0] clear_q;
  logic reset, again_q;
  logic [31:0] frames_q, cycles_q;
  assign reset = write_i && address_i == Control && data_i[0];
  assign status_o = {4'd0, cut_i, fresh_q, error_i};
  always_ff @(posedge clk_i) begin
    written_o <= (write_i && !reset) || (restart_o && clear_q == '1 && again_q);
    cycles_q  <= cycles_q + 1'b1;
    frame_o   <= frame && !restart_o;
    forget_o  <= write_i && address_i == Control && data_i[1];
    if (frame) {frames_q, fresh_q} <= {frames_q + 1'b1, probe_q[6]};
    if (restart_o) {frames_q, cycles_q, fresh_q} <= '0;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      {restart_o, clear_q, again_q} <= {1'b1, 10'd0};
    end else if (reset) begin
      {restart_o, clear_q, again_q} <= {1'b1, 9'd0, 1'b1};
    end else if (restart_o) begin
      clear_q <= clear_q + 1'b1;
      restart_o  <= clear_q != '1;
    end
  end

  // Counters of engines (operations, then waits) and steps (events): each access reads and writes.
  logic [1:0] clearing_q, adding_q;
  logic [1:0][7:0] events_q;
  logic [31:0] added, counted, added_after, counted_after;
  logic reading;
  assign reading = read_i && address_i[12];
  delta_state #(
      .Words(512),
      .Width(32)
  ) i_added (
      .clk_i,
      .rst_ni,
      .enable_i (1'b1),
      .valid_i  (restart_o || begins || waits || reading),
      .load_i   (1'b0),
      .word_i   (restart_o ? clear_q : reading ? address_i[10:2] : {waits, probe_q[23:16]}),
      .initial_i('0),
      .operand_o(added),
      .result_i (added_after)
  );
  delta_state #(
      .Words(256),
      .Width(32)
  ) i_counted (
      .clk_i,
      .rst_ni,
      .enable_i (1'b1),
      .valid_i  (restart_o || events != '0 || reading),
      .load_i   (1'b0),
      .word_i   (restart_o ? clear_q[7:0] : reading ? address_i[9:2] : probe_q[15:8]),
      .initial_i('0),
      .operand_o(counted),
      .result_i (counted_after)
  );
  assign added_after = clearing_q[1] ? '0 : added + 32'(adding_q[1]);
  assign counted_after = clearing_q[1] ? '0 : counted + 32'(events_q[1]);
  always_ff @(posedge clk_i) begin
    clearing_q <= {clearing_q[0], restart_o};
    adding_q   <= {adding_q[0], (begins || waits) && !reading};
    events_q   <= {events_q[0], reading ? 8'd0 : events};
  end

  // Reading.
  logic [31:0] fixed, fixed_q;
  logic [2:1] reading_q;
  always_comb begin
    case (address_i[7:2])
      6'h00: fixed = CoreMagic;
      6'h01: fixed = MapVersion;
      6'h02: fixed = loaded_i ? design_id_i : '0;
      6'h04: fixed = 32'({load_error_i, 3'd0, loaded_i, status_o});
      6'h05: fixed = loaded_i ? beats_i : '0;
      6'h06: fixed = 32'(2 * Quantisers);
      6'h07: fixed = 32'(packet_words_i);
      6'h08: fixed = 32'(4 * Quantisers);
      6'h09: fixed = ClockHz;
      6'h0A: fixed = FrameWords;
      6'h0B: fixed = PacketWords;
      6'h0C: fixed = Geometry;
      6'h0D: fixed = Lanes;
      6'h0E: fixed = Quantisers;
      6'h0F: fixed = CodeBits;
      6'h10: fixed = WeightBits;
      6'h11: fixed = SumBits;
      6'h12: fixed = IndexBits;
      6'h13: fixed = SumDepth;
      6'h14: fixed = CodeDepth;
      6'h15: fixed = WeightDepth;
      6'h16: fixed = TableDepth;
      6'h17: fixed = ParamDepth;
      6'h18: fixed = StepDepth;
      6'h19: fixed = PlaceDepth;
      6'h1A: fixed = WalkDepth;
      6'h1B: fixed = ChunkDepth;
      6'h1C: fixed = HasMemory ? MemoryBits : '0;
      6'h1D: fixed = MemoryKib;
      6'h1E: fixed = CachedWords;
      6'h1F: fixed = CachedLines;
      6'h20: fixed = 32'(Skip);
      6'h30: fixed = frames_q;
      6'h31: fixed = cycles_q;
      6'h32: fixed = 32'(error_i[0]) + 32'(error_i[1]);
      6'h33: fixed = load_crc_i;
      default: fixed = '0;
    endcase
  end
  always_ff @(posedge clk_i) begin
    fixed_q <= address_i[11:8] == '0 ? fixed : '0;
    reading_q <= {reading_q[1], read_i};
    case (address_i[12:11])
      Engines: read_data_o <= added;
      Steps:   read_data_o <= counted;
      Fixed:   read_data_o <= fixed_q;
      default: read_data_o <= '0;
    endcase
    read_valid_o <= reading_q[2];
    if (!rst_ni) {reading_q, read_valid_o} <= '0;
  end
endmodule
