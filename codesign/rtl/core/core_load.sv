// SPDX-License-Identifier: Apache-2.0
// Function:   the image of a program, 32 bits at a time, into the memories of a core: header, sections, CRC-32
// Latency:    a line is written 2 cycles after its last word is taken
// Throughput: 1 word in 2 cycles; where lines of weights lie outside, a beat takes as long as the memory
// Timing:     combinational idle_i, memory_idle_i -> load_ready_o, load_valid_i -> loaded_o; all other outputs are
//             registers, or one of two
// Reset:      no network
// Model:      codesign.core.image
// loaded_o is high from the last word of a right image until the next one is offered, so that no frame begins while its
// first word is taken. A wrong image is taken to its last word, error_o says why it is wrong, and there is no network.
// A memory outside is tried by core_probe when the header is there: first memory_restart_o resets core_memory and all
// of its clients. No image is right before all of it is written.
// If the memory fails later, lost_o resets the core, and 3 cycles after it there is no network.
// It does not read back what it wrote.
module core_load
  import core_pkg::*;
#(
    localparam int unsigned MostWords = ParamWords > WalkWords ? ParamWords : WalkWords,
    localparam int unsigned LineBits = MostWords * 32
) (
    input  logic                         clk_i,
    input  logic                         rst_ni,
    input  logic                         idle_i,         // no frame is inside
    input  logic                         forget_i,       // what has come of an image; no word comes in this cycle
    input  logic                         load_valid_i,
    output logic                         load_ready_o,
    input  logic [                 31:0] load_data_i,
    input  logic                         load_last_i,
    output logic                         loaded_o,
    output logic [                  3:0] error_o,        // why it is refused: error_t
    output logic [                 31:0] crc_o,          // CRC-32 of the words of the image so far
    output logic [                 31:0] design_id_o,
    output logic [                 31:0] beats_o,        // of a frame
    output logic [                  7:0] steps_o,
    output logic [                 31:0] code_origin_o,  // beats of the external memory: the first row of codes
    output logic [                 31:0] line_origin_o,  // the first line of weights
    output logic [                  4:0] write_o,        // a line: steps, places, walks, tables, params
    output logic [            Lanes-1:0] write_weight_o,
    output logic [            Lanes-1:0] write_sum_o,
    output logic [        IndexBits-1:0] address_o,
    output logic [         LineBits-1:0] line_o,         // its words, the latest in the high bits
    output logic [                 31:0] word_o,         // of weights or sums, in slots from its low bits on
    // core_memory, if there is one; all records have one beat.
    // verilator lint_off UNUSEDSIGNAL
    input  logic                         restart_i,      // of core_memory, by somebody else: it is tried anew
    output logic                         memory_restart_o,
    output logic                         lost_o,
    input  logic                         memory_idle_i,
    input  logic                         memory_silent_i,
    input  logic                         memory_error_i,
    output logic                         write_valid_o,
    input  logic                         write_ready_i,
    output logic [MemoryAddressBits-1:0] write_address_o,
    output logic [       MemoryBits-1:0] write_data_o,
    output logic                         read_valid_o,
    input  logic                         read_ready_i,
    output logic [MemoryAddressBits-1:0] read_address_o,
    input  logic                         data_valid_i,
    input  logic [       MemoryBits-1:0] data_i
    // verilator lint_on UNUSEDSIGNAL
);
  localparam int unsigned CountBits = 8;
  localparam int unsigned Slots = 32 / WeightSlot;  // weights of a word
  localparam int unsigned BeatWords = MemoryBits / 32;
  localparam logic [32:0] MemoryBeats = 33'd1 << MemoryAddressBits;
  if (SumWords > 255 || MostWords > 255 || SumBits > 32) begin : g_bad
    $error("core_load: lines of at most 255 words, and sums of at most 32 bits");
  end

  typedef enum logic [3:0] {
    Magic0,
    Version1,
    Geometry2,
    Design3,
    Steps4,
    Beats5,
    Codes6,
    Lines7,
    Probe,
    Section,
    Size,
    Data,
    Check,
    Failed
  } state_t;
  typedef enum logic [3:0] {
    BadMagic = 4'd1, BadVersion = 4'd2, BadGeometry = 4'd3, BadSection = 4'd4,
    TooLarge = 4'd5, BadCrc = 4'd6, BadLength = 4'd7, NoMemory = 4'd8
  } error_t;

  state_t state_q;
  logic take, taken_q, summed_q, last_q, loaded_q;
  logic [2:0] lost_q;
  logic [31:0] word_q, mixed_q, crc_q, section_q, left_q, depth;
  logic [IndexBits:0] address_q;  // one past the last line, too
  logic [CountBits-1:0] count_q, words;
  logic line_end_q, left_one_q, over_q, kept_q, beat_end_q;
  logic lost, beat_ready, beat_valid_q, probe_start, probe_done, probe_good;  // lost: the memory, a cycle before
  logic [32:0] beat_q;  // of a line of weights, outside

  function automatic logic [31:0] crc(input logic [31:0] mixed);  // with half a word: a word takes two cycles
    crc = mixed;
    for (int i = 0; i < 16; i++) crc = (crc >> 1) ^ (crc[0] ? 32'hEDB88320 : '0);
  endfunction

  always_comb begin
    unique case (section_q)
      SectionSteps: {words, depth} = {CountBits'(1), StepDepth};
      SectionPlaces: {words, depth} = {CountBits'(PlaceWords), PlaceDepth};
      SectionWalks: {words, depth} = {CountBits'(WalkWords), WalkDepth};
      SectionTables: {words, depth} = {CountBits'(TableWords), TableDepth};
      SectionParams: {words, depth} = {CountBits'(ParamWords), ParamDepth};
      SectionWeights: {words, depth} = {CountBits'(WeightWords), HasMemory ? 32'd1 << IndexBits : WeightDepth};
      SectionSums: {words, depth} = {CountBits'(SumWords), SumDepth};
      default: {words, depth} = {CountBits'(1), 32'd0};
    endcase
  end

  assign loaded_o = loaded_q && !load_valid_i && !taken_q;
  always_ff @(posedge clk_i) lost <= HasMemory && (memory_silent_i || memory_error_i);
  assign lost_o = lost_q[0];
  always_comb begin
    unique case (state_q)
      Magic0: load_ready_o = idle_i && (!beat_valid_q || lost);
      Probe: load_ready_o = 1'b0;
      Check: load_ready_o = !HasMemory || (memory_idle_i && !beat_valid_q) || lost;
      default: load_ready_o = !beat_valid_q || lost;
    endcase
    if (taken_q) load_ready_o = 1'b0;
  end
  assign {take, crc_o} = {load_valid_i && load_ready_o, ~crc_q};
  always_ff @(posedge clk_i) begin
    taken_q <= rst_ni && !forget_i && take;
    {summed_q, mixed_q} <= {taken_q && !forget_i, crc((state_q == Magic0 ? 32'hFFFFFFFF : crc_q) ^ word_q)};
    if (take) {word_q, last_q} <= {load_data_i, load_last_i};
    line_end_q <= count_q == words - 1'b1;
    left_one_q <= left_q == 32'd1;
    over_q <= 32'(address_q) >= depth || (HasMemory && section_q == SectionWeights && beat_q >= MemoryBeats);
    kept_q <= !HasMemory || 32'(address_q) < WeightDepth;
    beat_end_q <= count_q == words - 1'b1 || (32'(count_q) + 1) % BeatWords == 0;
  end

  // What is not the end of an image in its right place fails; a wrong image is swallowed to its last word.
  task automatic fail(input error_t error);
    error_o <= error;
    state_q <= last_q ? Magic0 : Failed;
  endtask

  always_ff @(posedge clk_i) begin
    {write_o, write_weight_o, write_sum_o} <= '0;
    if (beat_ready) beat_valid_q <= 1'b0;
    lost_q <= {lost_q[1:0], loaded_q && lost};
    if (lost_q[2] && loaded_q) {loaded_q, error_o} <= {1'b0, NoMemory};
    if (summed_q) crc_q <= crc(mixed_q);
    if (state_q == Probe && probe_done) begin
      state_q <= probe_good ? Section : Failed;
      if (!probe_good) error_o <= NoMemory;
    end
    if (taken_q) begin
      line_o <= {word_q, line_o[LineBits-1:32]};
      word_o <= word_q;
      unique case (state_q)
        Magic0: begin
          loaded_q <= 1'b0;
          error_o  <= '0;
          state_q  <= Version1;
          if (word_q != Magic) fail(BadMagic);
        end
        Version1: begin
          state_q <= Geometry2;
          if (word_q != Version) fail(BadVersion);
        end
        Geometry2: begin
          state_q <= Design3;
          if (word_q != Geometry) fail(BadGeometry);
        end
        Design3: begin
          design_id_o <= word_q;
          state_q <= Steps4;
        end
        Steps4: begin
          steps_o <= word_q[7:0];
          state_q <= Beats5;
          if (word_q > 32'd255 || word_q == '0) fail(TooLarge);
        end
        Beats5: begin
          beats_o <= word_q;
          state_q <= Codes6;
        end
        Codes6: begin
          code_origin_o <= word_q;
          state_q <= Lines7;
        end
        Lines7: begin
          line_origin_o <= word_q;
          state_q <= HasMemory ? Probe : Section;
          if (HasMemory && 33'(word_q) > MemoryBeats) fail(TooLarge);
        end
        Section: begin
          section_q <= word_q;
          state_q   <= word_q == '0 ? Check : Size;
          if (word_q > SectionSums) fail(BadSection);
        end
        Size: begin
          left_q <= word_q;
          {address_q, count_q} <= '0;
          beat_q <= 33'(line_origin_o);
          state_q <= word_q == '0 ? Section : Data;
        end
        Data: begin
          left_q  <= left_q - 1'b1;
          count_q <= line_end_q ? '0 : count_q + 1'b1;
          if (line_end_q) address_q <= address_q + 1'b1;
          address_o <= address_q[IndexBits-1:0];
          if (over_q) fail(TooLarge);
          else begin
            if (left_one_q) state_q <= Section;
            if (section_q == SectionWeights && beat_end_q) begin
              beat_valid_q <= !kept_q;
              beat_q <= beat_q + 1'b1;
            end
            if (left_one_q && !line_end_q) fail(BadLength);
            for (int unsigned s = 0; s < 5; s++) write_o[s] <= line_end_q && section_q == SectionSteps + s;
            for (int unsigned l = 0; l < Lanes; l++) begin
              write_weight_o[l] <= section_q == SectionWeights && kept_q && CountBits'(l / Slots) == count_q;
              write_sum_o[l] <= section_q == SectionSums && CountBits'(l) == count_q;
            end
          end
        end
        Check: begin
          state_q  <= Magic0;
          loaded_q <= last_q && word_q == ~crc_q && !lost;
          if (!last_q) fail(BadLength);
          else if (word_q != ~crc_q) fail(BadCrc);
          else if (lost) fail(NoMemory);
        end
        default: if (last_q) state_q <= Magic0;
      endcase
      if (lost && (state_q == Section || state_q == Size || state_q == Data)) fail(NoMemory);
      if (last_q && state_q != Check && state_q != Failed) fail(BadLength);
    end
    if (!rst_ni || probe_start) beat_valid_q <= 1'b0;
    if (!rst_ni || forget_i) begin
      state_q <= Magic0;
      {loaded_q, lost_q, error_o} <= '0;
      crc_q   <= '1;
    end
  end

  // The memory outside: tried first, then lines of weights, beat by beat.
  if (HasMemory) begin : g_memory
    logic probe_write;
    logic [MemoryAddressBits-1:0] probe_address, target_q;
    logic [MemoryBits-1:0] probe_data, data_q;
    assign probe_start = (taken_q && state_q == Lines7) || (restart_i && state_q == Probe);
    core_probe i_probe (
        .clk_i,
        .rst_ni,
        .start_i(probe_start),
        .restart_o(memory_restart_o),
        .done_o(probe_done),
        .good_o(probe_good),
        .silent_i(memory_silent_i),
        .error_i(memory_error_i),
        .write_valid_o(probe_write),
        .write_ready_i,
        .read_valid_o,
        .read_ready_i,
        .address_o(probe_address),
        .data_o(probe_data),
        .data_valid_i,
        .data_i
    );
    assign beat_ready = write_ready_i && !probe_write;
    assign write_valid_o = probe_write || beat_valid_q;
    assign write_address_o = probe_write ? probe_address : target_q;
    assign write_data_o = probe_write ? probe_data : data_q;
    assign read_address_o = probe_address;
    always_ff @(posedge clk_i) begin
      if (taken_q) target_q <= beat_q[MemoryAddressBits-1:0];
      for (int unsigned w = 0; w < BeatWords; w++)
      if (taken_q && 32'(count_q) % BeatWords == w) data_q[w*32+:32] <= word_q;
    end
  end else begin : g_none
    assign {probe_start, probe_done, probe_good, beat_ready, memory_restart_o} = '0;
    assign {write_valid_o, write_address_o, write_data_o, read_valid_o, read_address_o} = '0;
  end

`ifndef SYNTHESIS
  a_beat :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      beat_valid_q && !beat_ready && !lost && !probe_start |=> beat_valid_q);
  a_data :
  assert property (@(posedge clk_i) disable iff (!rst_ni)
      write_valid_o && !write_ready_i && !memory_silent_i && !memory_error_i && !lost && !probe_start &&
          !memory_restart_o |=> $stable(
      {write_address_o, write_data_o}
  ));
`endif
endmodule
