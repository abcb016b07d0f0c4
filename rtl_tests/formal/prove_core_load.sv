// SPDX-License-Identifier: Apache-2.0
// core_load with any words: the model reads them as an image, one by one, as the leaf has them in its first register. A
// network is there exactly after an image of which everything was right. With a memory outside core_probe's stand-in
// does anything that its own proof allows (m_probe_*), and the memory answers or fails when it likes.
module prove_core_load
  import core_pkg::*;
#(
    parameter int unsigned Any = 1,  // 0: where a fault lies deep: short images, right up to their lines; any CRC-32
    localparam int unsigned MostWords = ParamWords > WalkWords ? ParamWords : WalkWords
) (
    input logic clk_i,
    input logic rst_ni,
    input logic idle_i,
    input logic forget_i,
    input logic load_valid_i,
    input logic [31:0] load_data_i,
    input logic load_last_i,
    input logic restart_i,
    input logic memory_idle_i,
    input logic memory_silent_i,
    input logic memory_error_i,
    input logic write_ready_i,
    input logic read_ready_i,
    input logic data_valid_i,
    input logic [MemoryBits-1:0] data_i,
    input logic [4:0] probe_i,
    input logic [MemoryAddressBits+MemoryBits-1:0] probe_beat_i
);
  localparam int unsigned Slots = 32 / WeightSlot;
  localparam int unsigned BeatWords = MemoryBits / 32;
  localparam logic [32:0] MemoryBeats = 33'd1 << MemoryAddressBits;
  typedef enum logic [2:0] {
    Header,
    Sections,
    Sizes,
    Words,
    Checks,
    Wrong,
    Tries
  } phase_t;
  logic ready, loaded;
  logic [3:0] error;
  logic [31:0] crc_o, design_id, beats, code_origin, line_origin, word_o;
  logic [7:0] steps;
  logic [4:0] write;
  logic [Lanes-1:0] write_weight, write_sum;
  logic [IndexBits-1:0] address;
  logic [MostWords-1:0][31:0] line;
  logic restart, lost, write_valid, read_valid;
  logic [MemoryAddressBits-1:0] write_address, read_address;
  logic [MemoryBits-1:0] write_data;

  assume_reset i_reset (.*);
  core_load dut (
      .clk_i,
      .rst_ni,
      .idle_i,
      .forget_i,
      .load_valid_i,
      .load_ready_o    (ready),
      .load_data_i,
      .load_last_i,
      .loaded_o        (loaded),
      .error_o         (error),
      .crc_o           (crc_o),
      .design_id_o     (design_id),
      .beats_o         (beats),
      .steps_o         (steps),
      .code_origin_o   (code_origin),
      .line_origin_o   (line_origin),
      .write_o         (write),
      .write_weight_o  (write_weight),
      .write_sum_o     (write_sum),
      .address_o       (address),
      .line_o          (line),
      .word_o          (word_o),
      .restart_i,
      .memory_restart_o(restart),
      .lost_o          (lost),
      .memory_idle_i,
      .memory_silent_i,
      .memory_error_i,
      .write_valid_o   (write_valid),
      .write_ready_i,
      .write_address_o (write_address),
      .write_data_o    (write_data),
      .read_valid_o    (read_valid),
      .read_ready_i,
      .read_address_o  (read_address),
      .data_valid_i,
      .data_i
  );

  // The image so far.
  phase_t phase_q;
  logic [2:0] header_q;  // words of the header
  logic take, taken_q, last_q, right_q, known_q, writes_q;
  logic [31:0] word_q, crc_q, section_q, left_q, row_q, count_q, words, depth;
  logic [7:0][31:0] values_q;
  logic [MostWords-1:0][31:0] past_words_q;
  logic [3:0] error_q, wrong;
  logic [4:0] write_q;
  logic [Lanes-1:0] weight_q, sum_q;
  logic [IndexBits-1:0] address_q;
  logic line_end, over, fits, beat_end;
  logic [32:0] beat_q;  // of a line of weights: where it goes
  logic lost_q, waits_q, waits, done, good, idle;  // waits: a beat for the memory
  logic [2:0] losing_q;  // cycles since a network lost its memory
  assign idle = !HasMemory || memory_idle_i;
  logic [1:0] resets_q = 2'b00;  // in the last cycles
  assign take = load_valid_i && ready;
  assign line_end = count_q == words - 1;
  assign over = row_q >= depth || (HasMemory && section_q == 6 && beat_q >= MemoryBeats);
  assign fits = !HasMemory || row_q < WeightDepth;
  assign beat_end = line_end || (count_q + 1) % (HasMemory ? BeatWords : 1) == 0;
  function automatic logic [31:0] crc(input logic [31:0] old, input logic [31:0] word);
    crc = old;
    for (int unsigned i = 0; i < 32; i++) crc = (crc >> 1) ^ (crc[0] ^ word[i] ? 32'hEDB88320 : '0);
  endfunction
  always_comb begin
    case (section_q)
      1: {words, depth} = {32'd1, StepDepth};
      2: {words, depth} = {PlaceWords, PlaceDepth};
      3: {words, depth} = {WalkWords, WalkDepth};
      4: {words, depth} = {TableWords, TableDepth};
      5: {words, depth} = {ParamWords, ParamDepth};
      6: {words, depth} = {WeightWords, HasMemory ? 32'd1 << IndexBits : WeightDepth};
      default: {words, depth} = {SumWords, SumDepth};
    endcase
    wrong = '0;  // why the word is
    case (phase_q)
      Header:
      case (header_q)
        0: wrong = word_q == Magic ? 4'd0 : 4'd1;
        1: wrong = word_q == Version ? 4'd0 : 4'd2;
        2: wrong = word_q == Geometry ? 4'd0 : 4'd3;
        4: wrong = word_q != 0 && word_q < 256 ? 4'd0 : 4'd5;
        7: wrong = HasMemory && 33'(word_q) > MemoryBeats ? 4'd5 : 4'd0;
        default: ;
      endcase
      Sections: wrong = word_q > 7 ? 4'd4 : 4'd0;
      Words: wrong = over ? 4'd5 : left_q == 1 && !line_end ? 4'd7 : 4'd0;
      Checks: wrong = !last_q ? 4'd7 : word_q != (Any != 0 ? ~crc_q : crc_o) ? 4'd6 : lost_q ? 4'd8 : 4'd0;
      default: ;
    endcase
    if (lost_q && (phase_q inside {Sections, Sizes, Words})) wrong = 4'd8;
    if (last_q && phase_q != Checks && phase_q != Wrong) wrong = 4'd7;
  end

  always_ff @(posedge clk_i) begin
    resets_q <= {resets_q[0], !rst_ni};
    m_resets : assume (!rst_ni || resets_q != 2'b01);
    m_forget : assume (!forget_i || !load_valid_i);
    m_short : assume (Any != 0 || !taken_q || (phase_q == Header ? wrong == 0 || header_q == 7 :
                      phase_q == Sections ? word_q inside {0, 6} : phase_q != Sizes || word_q < 3));
    taken_q <= rst_ni && take && !forget_i;
    if (take) {word_q, last_q} <= {load_data_i, load_last_i};
    {write_q, weight_q, sum_q} <= '0;
    known_q <= rst_ni && taken_q;
    if (taken_q) past_words_q <= {word_q, past_words_q[MostWords-1:1]};
    if (rst_ni && taken_q && phase_q == Words && !over) begin  // also of an image that is forgotten now
      address_q <= IndexBits'(row_q);
      if (section_q < 6 && line_end) write_q <= 5'd1 << (section_q - 1);
      for (int unsigned l = 0; l < Lanes; l++) begin
        weight_q[l] <= section_q == 6 && fits && l / Slots == count_q;
        sum_q[l] <= section_q == 7 && l == count_q;
      end
    end
    lost_q <= HasMemory && (memory_silent_i || memory_error_i);
    losing_q <= {losing_q[1:0], right_q && lost_q};
    if (!rst_ni || forget_i) begin
      losing_q <= '0;
      {phase_q, header_q} <= {Header, 3'd0};
      {right_q, error_q, crc_q} <= {1'b0, 4'd0, 32'hFFFFFFFF};
    end else begin
      if (losing_q[2] && right_q) {right_q, error_q} <= {1'b0, 4'd8};
      if (phase_q == Tries && done) begin
        phase_q <= good ? Sections : Wrong;
        if (!good) error_q <= 4'd8;
      end
    end
    if (rst_ni && !forget_i && taken_q) begin
      crc_q <= crc(phase_q == Header && header_q == 0 ? 32'hFFFFFFFF : crc_q, word_q);
      case (phase_q)
        Header: begin
          header_q <= header_q + 1'b1;
          values_q[header_q] <= word_q;
          if (header_q == 0) {right_q, error_q} <= '0;
          if (header_q == 7) phase_q <= HasMemory ? Tries : Sections;
        end
        Sections: {section_q, phase_q} <= {word_q, word_q == 0 ? Checks : Sizes};
        Sizes: begin
          {left_q, row_q, count_q} <= {word_q, 64'd0};
          beat_q <= 33'(values_q[7]);
          phase_q <= word_q == 0 ? Sections : Words;
        end
        Words: begin
          {left_q, count_q} <= {left_q - 1, line_end ? 32'd0 : count_q + 1};
          row_q <= row_q + 32'(line_end);
          if (section_q == 6 && beat_end && !over) beat_q <= beat_q + 1'b1;
          if (left_q == 1) phase_q <= Sections;
        end
        Checks: begin
          phase_q <= Header;
          right_q <= wrong == 0;
        end
        default: if (last_q) phase_q <= Header;
      endcase
      if (wrong != 0) begin
        error_q <= wrong;
        phase_q <= last_q ? Header : Wrong;
      end
      if (last_q || wrong != 0) header_q <= '0;
    end
  end

  logic [3:0] given_q;  // words, as many as a line has
  logic full;
  assign full = 32'(given_q) >= MostWords;
  logic [3:0] state;  // of the leaf
  always_comb begin
    case (phase_q)
      Header: state = 4'(header_q);
      Sections: state = 4'd9;
      Sizes: state = 4'd10;
      Words: state = 4'd11;
      Checks: state = 4'd12;
      Tries: state = 4'd8;
      default: state = 4'd13;
    endcase
  end
  logic rows_fit;
  assign rows_fit = row_q <= depth && 32'(dut.address_q) == row_q && count_q < words && 32'(dut.count_q) == count_q;
  always_ff @(posedge clk_i) begin
    i_resets : assert (!resets_q[0] || (!dut.taken_q && (!resets_q[1] || !dut.summed_q)));
    if (rst_ni) begin
      a_loaded : assert (loaded == (right_q && !load_valid_i && !taken_q) && lost == losing_q[0] && (!right_q ||
                         {design_id, steps, beats, code_origin, line_origin} ==
                         {values_q[3], values_q[4][7:0], values_q[5], values_q[6], values_q[7]}));
      a_ready : assert (ready == (!taken_q && (phase_q == Header && header_q == 0 ? idle_i && (!waits || lost_q) :
                        phase_q == Checks ? (idle && !waits) || lost_q : phase_q != Tries && (!waits || lost_q))));
      a_error : assert (error == error_q);
      // half a word is summed in a cycle
      if (Any != 0) a_crc : assert ((dut.summed_q ? half(dut.mixed_q) : ~crc_o) == crc_q);
      a_writes : assert ({write, write_weight, write_sum} == {write_q, weight_q, sum_q} &&
                         ({write_q, weight_q, sum_q} == 0 || address == address_q) &&
                         (write_q == 0 || !full || line == past_words_q));
      a_word : assert (!known_q || word_o == past_words_q[MostWords-1]);

      i_taken : assert (dut.taken_q == taken_q && (!taken_q || (dut.word_q == word_q && dut.last_q == last_q)));
      i_state : assert (4'(dut.state_q) == state && 3'(phase_q) < 7 && (phase_q == Header || header_q == 0));
      i_loaded : assert (dut.loaded_q == right_q && dut.lost_q == losing_q && dut.beat_valid_q == waits &&
                         dut.lost == lost_q);
      i_right : assert (!right_q || (phase_q == Header && header_q == 0));
      i_summed : assert (!dut.summed_q || !taken_q);
      i_section : assert (phase_q inside {Header, Sections, Wrong, Checks, Tries} || (dut.section_q == section_q &&
                          section_q != 0 && section_q < 8));
      i_rows : assert (phase_q != Words || (rows_fit && dut.left_q == left_q && left_q != 0));
      i_ends : assert (phase_q != Words || !taken_q || (dut.line_end_q == line_end && dut.left_one_q == (left_q == 1) &&
                       dut.over_q == over && dut.kept_q == fits && dut.beat_end_q == beat_end));
      i_beat : assert (phase_q != Words || dut.beat_q == beat_q);
      i_header : assert ((!passed(3) || design_id == values_q[3]) && (!passed(4) || steps == values_q[4][7:0]) &&
                         (!passed(5) || beats == values_q[5]) && (!passed(6) || code_origin == values_q[6]) &&
                         (!passed(7) || line_origin == values_q[7]));
      c_loaded : cover (loaded);
      c_wrong : cover (error == 3);
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) given_q <= '0;
    else if (taken_q && !full) given_q <= given_q + 1'b1;
  end
  for (genvar w = 0; w < int'(MostWords); w++) begin : g_word
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        i_words : assert (w >= 32'(given_q) || line[MostWords-1-w] == past_words_q[MostWords-1-w]);
      end
    end
  end
  function automatic logic passed(input logic [2:0] place);  // a word of the header
    passed = right_q || phase_q inside {Tries, Sections, Sizes, Words, Checks} ||
        (phase_q == Header && header_q > place);
  endfunction
  function automatic logic [31:0] half(input logic [31:0] mixed);
    half = mixed;
    for (int unsigned i = 0; i < 16; i++) half = (half >> 1) ^ (half[0] ? 32'hEDB88320 : '0);
  endfunction

  if (HasMemory) begin : g_memory
    // core_probe, and the beat that waits: words of it that are of its line, where it goes.
    logic start, start_q, tests_q, probe_restart, probe_write, probe_read, spoiled_q;
    logic [31:0] known;
    logic [32:0] target_q;
    logic [BeatWords-1:0] mask_q;
    logic [BeatWords-1:0][31:0] data_q;
    logic [MemoryAddressBits-1:0] probe_address;
    logic [MemoryBits-1:0] probe_data, differ, kept;
    assign {probe_restart, done, good, probe_write, probe_read} = probe_i;
    assign {probe_address, probe_data} = probe_beat_i;
    assign start = (taken_q && phase_q == Header && header_q == 7) || (restart_i && phase_q == Tries);
    assign known = count_q % BeatWords;  // word of a beat
    assign waits = waits_q;
    always_comb begin
      for (int unsigned w = 0; w < BeatWords; w++) begin
        differ[w*32+:32] = mask_q[w] ? write_data[w*32+:32] ^ data_q[w] : '0;
        kept[w*32+:32] = mask_q[w] ? dut.g_memory.data_q[w*32+:32] ^ data_q[w] : '0;
      end
    end
    always_ff @(posedge clk_i) begin
      // What prove_core_probe proves.
      m_probe_restart : assume (probe_restart == start_q);
      m_probe_test : assume (!(done || probe_write || probe_read) || (tests_q && !start_q));
      m_probe_done : assume (!done || !(probe_write || probe_read));
      if (!rst_ni) {start_q, tests_q, waits_q} <= '0;
      else begin
        start_q <= start;
        tests_q <= start || (tests_q && !done);
        if (write_ready_i && !probe_write) waits_q <= 1'b0;
        if (taken_q) spoiled_q <= 1'b1;
        if (taken_q && phase_q == Words) begin
          data_q[known] <= word_q;
          mask_q <= known == 0 ? BeatWords'(1) : mask_q | (BeatWords'(1) << known);
          if (section_q == 6 && beat_end && !over) {waits_q, spoiled_q, target_q} <= {!fits, 1'b0, beat_q};
        end
        if (start) waits_q <= 1'b0;

        a_tried : assert (dut.probe_start == start && restart == probe_restart && read_valid == probe_read &&
                          (!read_valid || read_address == probe_address));
        a_outside : assert (write_valid == (probe_write || waits_q) && (probe_write ?
                            {write_address, write_data} == {probe_address, probe_data} : !waits_q || spoiled_q ||
                            (33'(write_address) == target_q && differ == 0)));
        i_target : assert (!waits_q || spoiled_q || (33'(dut.g_memory.target_q) == target_q && kept == 0));
        i_part : assert (phase_q != Words || known == 0 || (kept == 0 && mask_q == ~(~BeatWords'(0) << known)));
        c_outside : cover (waits_q && !spoiled_q && !write_ready_i && phase_q == Sections);
        c_lost : cover (losing_q[2]);
      end
    end
  end else begin : g_inside
    assign {done, good, waits} = '0;
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        a_tried : assert (4'(dut.state_q) != 8);
        a_outside : assert (ready == (!taken_q && (phase_q != Header || header_q != 0 || idle_i)));
      end
    end
  end
endmodule
