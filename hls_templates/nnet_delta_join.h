// SPDX-License-Identifier: Apache-2.0
// DeltaJoin: two frames of codes added, or put side by side along the channels, on a common lattice. More than two are joined
// by a chain of these. DeltaCopy: one frame for two readers, so that every array and stream has one of them.
//
// Shapes:    DeltaJoin: first[n_position * n_first], second[n_position * n_second] -> res[n_position * n_chan], channels last.
//            DeltaCopy: data[n] -> first[n], second[n].
// II:        1; a frame takes n_position * n_chan / pe cycles, a copy ceil(n / lanes).
// State:     none: the layer that reads the result finds what changed.
// Exactness: a code is shifted left, the sum fits its type; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_JOIN_H_
#define NNET_DELTA_JOIN_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_join_config {
    // index, n_position, n_first, n_second, n_chan, pe: unsigned. shift_first, shift_second: unsigned bits. add: bool; else the
    // channels of second follow those of first. state_t: of an output code.
};

template <class first_T, class second_T, class res_T, class CONFIG_T>
void delta_join(first_T first[CONFIG_T::n_position * CONFIG_T::n_first],
                second_T second[CONFIG_T::n_position * CONFIG_T::n_second],
                res_T res[CONFIG_T::n_position * CONFIG_T::n_chan]) {
    typedef typename CONFIG_T::state_t state_t;
    static const unsigned groups = CONFIG_T::n_chan / CONFIG_T::pe;
    static_assert(CONFIG_T::n_chan % CONFIG_T::pe == 0, "pe must divide the number of channels");

Word:
    for (unsigned word = 0; word < CONFIG_T::n_position * groups; word++) {
        #pragma HLS PIPELINE II=1
        const unsigned position = word / groups;
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::pe; lane++) {
            #pragma HLS UNROLL
            const unsigned c = word % groups * CONFIG_T::pe + lane;
            const unsigned behind = CONFIG_T::add ? c : c - CONFIG_T::n_first; // channel of second
            state_t code = 0;
            if (c < CONFIG_T::n_first)
                code = state_t(delta_code(first[position * CONFIG_T::n_first + c])) << CONFIG_T::shift_first;
            if (CONFIG_T::add || c >= CONFIG_T::n_first)
                code += state_t(delta_code(second[position * CONFIG_T::n_second + behind])) << CONFIG_T::shift_second;
            res[word * CONFIG_T::pe + lane] = delta_value<res_T>(code);
        }
    }
#ifndef __SYNTHESIS__
    delta_count<CONFIG_T>(0, 0, 0, CONFIG_T::n_position * groups);
#endif
}

struct delta_copy_config {
    // n, lanes: unsigned.
};

template <class data_T, class res_T, class CONFIG_T>
void delta_copy(data_T data[CONFIG_T::n], res_T first[CONFIG_T::n], res_T second[CONFIG_T::n]) {
Element:
    for (unsigned e = 0; e < CONFIG_T::n; e++) {
        #pragma HLS UNROLL factor=CONFIG_T::lanes
        first[e] = data[e];
        second[e] = data[e];
    }
}

} // namespace nnet

#endif
