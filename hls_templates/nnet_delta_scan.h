// SPDX-License-Identifier: Apache-2.0
// The scan process of every linear layer: reads `lanes` codes per cycle, compares them with the stored ones and compacts
// those that changed. io_parallel; nnet_delta_stream.h holds the io_stream form.
//
// Shapes:    data[n_in] -> address, delta [lanes][beats]: event e is in bank e % lanes at e / lanes; beats = ceil(n_in / lanes).
// II:        1; a frame takes `beats` cycles. The event buffer is banked: a beat's events go to consecutive banks, so
//            compaction is a lanes x lanes crossbar, not `lanes` ports (cheapest when lanes is a power of two).
// State:     sent[n_in], the codes of the last frame. reset (or power-up) reads it as 0 for one frame.
// Exactness: integers; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_SCAN_H_
#define NNET_DELTA_SCAN_H_

#include "nnet_delta_common.h"

namespace nnet {

// CONFIG_T of a linear layer has index, n_in, lanes: unsigned; code_t, delta_t, address_t: of an input code, its
// difference, its index.
template <class CONFIG_T> struct delta_scan_shape {
    static const unsigned beats = (CONFIG_T::n_in + CONFIG_T::lanes - 1) / CONFIG_T::lanes;
};

// Compares one beat of codes with `sent` and appends what changed to the banked event buffer.
template <class CONFIG_T>
void delta_scan_beat(const typename CONFIG_T::code_t now[CONFIG_T::lanes], unsigned beat, bool first_of_stream,
                     typename CONFIG_T::code_t sent[][CONFIG_T::lanes],
                     typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats],
                     typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats], unsigned &events) {
    #pragma HLS INLINE
    typename CONFIG_T::delta_t change[CONFIG_T::lanes];
    unsigned rank[CONFIG_T::lanes]; // events of this beat in lower lanes
    unsigned count = 0;
    #pragma HLS ARRAY_PARTITION variable=change complete
    #pragma HLS ARRAY_PARTITION variable=rank complete
Compare:
    for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
        #pragma HLS UNROLL
        const typename CONFIG_T::code_t last = first_of_stream ? typename CONFIG_T::code_t(0) : sent[beat][lane];
        change[lane] = typename CONFIG_T::delta_t(now[lane]) - typename CONFIG_T::delta_t(last);
        sent[beat][lane] = now[lane];
        rank[lane] = count;
        count += change[lane] != 0 ? 1 : 0;
    }
Bank:
    for (unsigned bank = 0; bank < CONFIG_T::lanes && count != 0; bank++) {
        #pragma HLS UNROLL
        const unsigned slot = (bank + CONFIG_T::lanes - events % CONFIG_T::lanes) % CONFIG_T::lanes;
    Pick:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            if (change[lane] != 0 && rank[lane] == slot) {
                address[bank][(events + slot) / CONFIG_T::lanes] = beat * CONFIG_T::lanes + lane;
                delta[bank][(events + slot) / CONFIG_T::lanes] = change[lane];
            }
        }
    }
    events += count;
}

template <class data_T, class CONFIG_T>
void delta_scan(data_T data[CONFIG_T::n_in], bool reset,
                typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats],
                typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats], unsigned &events) {
    static const unsigned beats = delta_scan_shape<CONFIG_T>::beats;
    static typename CONFIG_T::code_t sent[beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;
    unsigned found = 0;

Beat:
    for (unsigned beat = 0; beat < beats; beat++) {
        #pragma HLS PIPELINE II=1
        typename CONFIG_T::code_t now[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=now complete
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            const unsigned e = beat * CONFIG_T::lanes + lane;
            now[lane] = typename CONFIG_T::code_t(0); // a padded lane never changes
            if (e < CONFIG_T::n_in)
                now[lane] = delta_code(data[e]);
        }
        delta_scan_beat<CONFIG_T>(now, beat, first_of_stream, sent, address, delta, found);
    }
    events = found;
}

} // namespace nnet

#endif
