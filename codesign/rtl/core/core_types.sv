// SPDX-License-Identifier: Apache-2.0
// What the units of a delta core exchange. First field in the high bits; where `end_of_pass` is set, nothing else
// counts.
package core_types;
  import core_pkg::*;

  // verilator lint_off UNUSEDPARAM
  parameter int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1;
  parameter int unsigned LoadBits = SumBits > 32 ? SumBits : 32;  // of a word of weights or sums that is loaded
  parameter int unsigned SendRead = 5;  // stage of core_send with a row's codes
  parameter int unsigned SendStages = 11;  // with what they become
  // verilator lint_on UNUSEDPARAM

  // the rows before those of a word
  function automatic logic [IndexBits-1:0] rows_of(input logic [IndexBits-1:0] word, input logic [3:0] parts);
    rows_of = '0;
    for (int i = 0; i < $clog2(MostParts + 1); i++) rows_of += parts[i] ? word << i : '0;
  endfunction

  // a word with a change, on its way to its readers
  typedef struct packed {
    logic end_of_pass;
    logic [IndexBits-1:0] word;
    logic [Lanes-1:0] mask;  // lanes with a change
  } changed_t;

  // what one reader has to do for a word, or for one lane of it
  typedef struct packed {
    logic end_of_pass;
    logic hit;  // it reaches something
    logic free;  // the last one of its word
    logic [7:0] walk;  // reader
    logic [Lanes-1:0] mask;  // lanes to add
    logic element;  // remainder is a channel, not a group
    logic [IndexBits-1:0] remainder;
    table_t row;
    table_t column;
  } located_t;

  // what is done with a word of sums, in each lane. add: total = (first ? sums[from] : total) + weights[line] * delta.
  // copy: total = sums[from], with first. last: sums[sum] = total. read, save: sums[from] goes to core_fetch, outside;
  // an addition that is not the first of its chain may have a read with it. fill: sums[sum] = what comes from outside
  typedef struct packed {
    logic end_of_pass;
    logic add;
    logic copy;
    logic read;  // for core_fetch
    logic save;  // to the memory outside
    logic fill;
    logic fill_line;  // with an addition: weights[line] = what comes from outside, before
    logic first;
    logic last;
    logic [IndexBits-1:0] sum;
    logic [IndexBits-1:0] from;
    logic [IndexBits-1:0] line;
    logic [7:0] beats;  // of the word, where it lies outside
    logic [7:0] engine;  // whose sums they are, for counters
  } operation_t;
endpackage
