// SPDX-License-Identifier: Apache-2.0
// Generated from codesign/core/records.py: the numbers of a delta core and the records of its programs.
package core_pkg;
  /* verilator lint_off UNUSEDPARAM */  // no design uses all of them
  parameter int unsigned Lanes = 8;  // sums in a word, multiplications in a cycle
  parameter int unsigned Quantisers = 4;  // lanes that are quantised in a cycle, codes in a beat
  parameter int unsigned MostParts = Lanes / Quantisers;  // rows of codes of a full word
  parameter int unsigned CodeBits = 16;
  parameter int unsigned DeltaBits = CodeBits + 1;
  parameter int unsigned WeightBits = 16;
  parameter int unsigned SumBits = 32;
  parameter int unsigned IndexBits = 20;  // every index and address
  parameter int unsigned ChunkBits = 32;  // marks in a chunk
  parameter int unsigned EngineCount = 256;  // dirty bits

  parameter int unsigned SumDepth = 1024;
  parameter int unsigned CodeDepth = 1024;
  parameter int unsigned WeightDepth = 1024;
  parameter int unsigned TableDepth = 256;
  parameter int unsigned ParamDepth = 64;
  parameter int unsigned StepDepth = 256;  // 32-bit words
  parameter int unsigned PlaceDepth = 256;
  parameter int unsigned WalkDepth = 256;
  parameter int unsigned ChunkDepth = 64;

  parameter logic [31:0] Magic = 32'h524F4344;
  parameter logic [31:0] Version = 32'd1;
  parameter logic [31:0] Geometry = 32'hB5BCAE73;  // CRC-32 of "8,4,16,16,32,20"
  parameter logic [31:0] SectionSteps = 32'd1;
  parameter logic [31:0] SectionPlaces = 32'd2;
  parameter logic [31:0] SectionWalks = 32'd3;
  parameter logic [31:0] SectionTables = 32'd4;
  parameter logic [31:0] SectionParams = 32'd5;
  parameter logic [31:0] SectionWeights = 32'd6;
  parameter logic [31:0] SectionSums = 32'd7;

  // 32-bit words of a record or line in an image
  parameter int unsigned StepWords = 10;  // 290 bits
  parameter int unsigned PlaceWords = 5;  // 142 bits
  parameter int unsigned WalkWords = 7;  // 198 bits
  parameter int unsigned TableWords = 2;  // 48 bits
  parameter int unsigned ParamWords = 5;  // 152 bits
  parameter int unsigned WeightWords = 4;  // 128 bits
  parameter int unsigned SumWords = 8;  // 256 bits

  // what is sent: a delta activation, or the packet of the output
  typedef struct packed {
    logic source;  // takes the beats of the input, not the sums of an engine
    logic relu;  // negative sums count as 0
    logic keep;  // marks stay, as a later step sends the same engine
    logic [1:0] packet;  // 0: events; 1: a packet of the sums; 2: a packet of the codes
    logic [7:0] engine;  // dirty bit of the engine that is sent
    logic [IndexBits-1:0] words;  // words of a frame
    logic [IndexBits-1:0] mark_base;  // chunk of the first word's mark
    logic [IndexBits-1:0] sum_base;  // address of the first word's sums
    logic [7:0] taps;  // words of sums kept for each word
    logic [IndexBits-1:0] groups;  // words after which the rows of parameters repeat
    logic [IndexBits:0] group_recip;  // reciprocal of groups
    logic [5:0] group_shift;  // shift of the reciprocal
    logic [3:0] parts;  // rows of codes of each word
    logic [IndexBits-1:0] code_base;  // address of the first row of codes
    logic [IndexBits-1:0] param_base;  // address of the first row of parameters
    logic signed [CodeBits-1:0] lo;  // smallest code
    logic signed [CodeBits-1:0] hi;  // largest code
    logic [5:0] shift;  // fraction bits of a sum over a code's
    logic [11:0] reader_base;  // the first reader
    logic [7:0] readers;  // how many readers
    logic [IndexBits-1:0] bias_base;  // address of the biases among the sums
    logic [IndexBits-1:0] bias_period;  // words of biases
    logic [IndexBits-1:0] sweep_words;  // sums set to biases when a stream starts; 0: none
  } step_t;
  parameter int unsigned StepBits = 290;

  // where a reader finds an event: position, row, column
  typedef struct packed {
    logic element;  // each changed lane is placed by itself; else the word is
    logic [6:0] used;  // element = word * used + lane
    logic [IndexBits-1:0] divisor;  // index = position * divisor + remainder
    logic [IndexBits:0] recip;  // reciprocal of the divisor
    logic [5:0] rshift;  // shift of the reciprocal
    logic [IndexBits-1:0] columns;  // position = row * columns + column
    logic [IndexBits:0] column_recip;  // reciprocal of the columns
    logic [5:0] column_shift;  // shift of the reciprocal
    logic [IndexBits-1:0] row_table;  // address of the entry of row 0
    logic [IndexBits-1:0] column_table;  // address of the entry of column 0
  } place_t;
  parameter int unsigned PlaceBits = 142;

  // what a located event does for a reader
  typedef struct packed {
    logic channelwise;  // lane for lane; else one lane to all
    logic maximum;  // the line chooses the word of sums, not the weights
    logic group_lines;  // channelwise: a line of weights for each group
    logic [11:0] groups;  // words of an output position that are looped over
    logic [IndexBits-1:0] group_stride;  // lines of weights from one of them to the next
    logic [6:0] used;  // first line of a word's lanes = remainder * used
    logic [IndexBits-1:0] word_row;  // words from one output row to the next
    logic [IndexBits-1:0] line_row;  // lines back from one output row to the next
    logic [IndexBits-1:0] word_column;  // words from one output column to the next
    logic [IndexBits-1:0] line_column;  // lines back from one output column to the next
    logic [IndexBits-1:0] sum_base;  // address of the engine's first sums
    logic [7:0] taps;  // words of sums kept for each word
    logic [IndexBits-1:0] mark_base;  // chunk of the first word's mark
    logic [7:0] engine;  // dirty bit of the engine
    logic [IndexBits-1:0] weight_base;  // address of the first line of weights
  } walk_t;
  parameter int unsigned WalkBits = 198;

  // what a row or a column of an event reaches
  typedef struct packed {
    logic [IndexBits-1:0] word;  // word of the first one
    logic [IndexBits-1:0] line;  // line of weights there
    logic [7:0] count;  // how many
  } table_t;
  parameter int unsigned TableBits = 48;

  // how a lane is sent
  typedef struct packed {
    logic valid;  // 0: the lane holds no channel and is never sent
    logic [4:0] step;  // log2 of the step, in codes
    logic [SumBits-1:0] threshold;  // smallest change that is sent; 0: memoryless
  } param_t;
  parameter int unsigned ParamBits = 38;
  /* verilator lint_on UNUSEDPARAM */
endpackage
