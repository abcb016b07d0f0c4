// SPDX-License-Identifier: Apache-2.0
// What the units of a delta core exchange. First field in the high bits; where `end_of_pass` is set, nothing else
// counts.
package core_types;
  import core_pkg::*;

  // verilator lint_off UNUSEDPARAM
  parameter int unsigned LaneBits = Lanes > 1 ? $clog2(Lanes) : 1;
  parameter int unsigned LoadBits = SumBits > 32 ? SumBits : 32;  // of a word of weights or sums that is loaded
  // verilator lint_on UNUSEDPARAM

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

  // what is done with a word of sums, in each lane. add: total = (first ? sums[sum] : total) + weights[line] * delta.
  // read, save: total = sums[sum]. copy: total = sums[line]. fill: total = what comes from outside. last: sums[sum] =
  // total
  typedef struct packed {
    logic end_of_pass;
    logic add;
    logic copy;
    logic read;  // for core_fetch
    logic save;  // to the memory outside
    logic fill;
    logic fill_line;  // weights[line] = what comes from outside
    logic first;  // a word of sums is read
    logic last;  // it is written
    logic [IndexBits-1:0] sum;
    logic [IndexBits-1:0] line;
    logic [7:0] beats;  // of the word, where it lies outside
    logic [7:0] engine;  // whose sums they are, for counters
  } operation_t;
endpackage
