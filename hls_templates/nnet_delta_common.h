// SPDX-License-Identifier: Apache-2.0
// What the delta kernels share: raw codes of fixed-point values, rounding, and the counters of csim.
//
// Exactness: everything is integer arithmetic on codes; a type ap_[u]fixed<W,I> carries the code value * 2^(W-I).
// Language:  C++11, so that every HLS compiler and g++ take it.
#ifndef NNET_DELTA_COMMON_H_
#define NNET_DELTA_COMMON_H_

#include "ap_fixed.h"
#include "ap_int.h"

namespace nnet {

// The code of a fixed-point value.
template <int W, int I, ap_q_mode Q, ap_o_mode O, int N> ap_int<W> delta_code(const ap_fixed<W, I, Q, O, N> &value) {
    #pragma HLS INLINE
    ap_int<W> code;
    code.range() = value.range();
    return code;
}

template <int W, int I, ap_q_mode Q, ap_o_mode O, int N> ap_uint<W> delta_code(const ap_ufixed<W, I, Q, O, N> &value) {
    #pragma HLS INLINE
    ap_uint<W> code;
    code.range() = value.range();
    return code;
}

template <int W> ap_int<W> delta_code(const ap_int<W> &value) { return value; }
template <int W> ap_uint<W> delta_code(const ap_uint<W> &value) { return value; }

// The fixed-point value of a code; code_T has as many bits as value_T.
template <class value_T, class code_T> value_T delta_value(code_T code) {
    #pragma HLS INLINE
    value_T value;
    value.range() = code.range();
    return value;
}

// value / 2^shift, ties to even.
template <class wide_T> wide_T delta_round(wide_T value, unsigned shift) {
    #pragma HLS INLINE
    const wide_T floor = value >> shift;
    const wide_T rest = value - wide_T(floor << shift);
    const wide_T half = wide_T(wide_T(1) << shift) >> 1;
    const bool up = rest > half || (rest == half && shift != 0 && floor[0] == 1);
    return floor + wide_T(up ? 1 : 0);
}

#ifndef __SYNTHESIS__
// Counts of one layer since they were last cleared. cycles: trip counts of the layer's loops, what II = 1 implies.
struct delta_counter {
    unsigned long long scanned_beats, events, macs, cycles;
};

static const unsigned delta_layers = 1024;

inline delta_counter *delta_counters() {
    static delta_counter table[delta_layers];
    return table;
}

template <class CONFIG_T>
void delta_count(unsigned long long beats, unsigned long long events, unsigned long long macs, unsigned long long cycles) {
    static_assert(CONFIG_T::index < delta_layers, "more layers than csim has counters for");
    delta_counter &counter = delta_counters()[CONFIG_T::index];
    counter.scanned_beats += beats;
    counter.events += events;
    counter.macs += macs;
    counter.cycles += cycles;
}
#endif

} // namespace nnet

#endif
