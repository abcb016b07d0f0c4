// SPDX-License-Identifier: Apache-2.0
// DeltaDense: a_t = a_{t-1} + W * d_t, as two processes that overlap on consecutive frames.
//
//   scan        reads `lanes` codes a cycle, compares them with the stored ones and compacts those that changed
//   accumulate  loops over the events only; an event takes reuse_factor cycles of n_out / reuse_factor MACs
//
// Shapes:    data[n_in] -> res[n_out]; weights[n_in * n_out] with the outputs of one input together.
// II:        1 in both; a frame takes ceil(n_in / lanes) cycles of scan and events * reuse_factor of accumulate. The event
//            buffer is banked: a beat's events go to consecutive banks, so compaction is a lanes x lanes crossbar, not
//            `lanes` ports (cheapest when lanes is a power of two). The accumulators are registers, so back-to-back updates of one word need no forwarding.
// State:     sent[n_in], the codes of the last frame, and state[n_out]. reset (or power-up) reads them as 0 and bias for
//            one frame; nothing relies on the arrays being cleared.
// Exactness: integers that wrap within a bound no partial sum leaves; equal to codesign.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_DENSE_H_
#define NNET_DELTA_DENSE_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_dense_config {
    // index, n_in, n_out, lanes, reuse_factor: unsigned.
    // code_t, delta_t, address_t: of an input code, its difference, its index. state_t: of an accumulator.
    // weight_t, bias_t: of the integer parameters.
};

template <class CONFIG_T> struct delta_dense_shape {
    static const unsigned beats = (CONFIG_T::n_in + CONFIG_T::lanes - 1) / CONFIG_T::lanes;
    static const unsigned pe = CONFIG_T::n_out / CONFIG_T::reuse_factor;
    static_assert(CONFIG_T::n_out % CONFIG_T::reuse_factor == 0, "the reuse factor must divide the number of outputs");
};

// Compares one beat of codes with `sent` and appends what changed to the banked event buffer.
template <class CONFIG_T>
void delta_scan_beat(const typename CONFIG_T::code_t now[CONFIG_T::lanes], unsigned beat, bool fresh,
                     typename CONFIG_T::code_t sent[][CONFIG_T::lanes],
                     typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats],
                     typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats], unsigned &events) {
    #pragma HLS INLINE
    typename CONFIG_T::delta_t change[CONFIG_T::lanes];
    unsigned rank[CONFIG_T::lanes]; // events of this beat in lower lanes
    unsigned count = 0;
    #pragma HLS ARRAY_PARTITION variable=change complete
    #pragma HLS ARRAY_PARTITION variable=rank complete
Compare:
    for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
        #pragma HLS UNROLL
        const typename CONFIG_T::code_t last = fresh ? typename CONFIG_T::code_t(0) : sent[beat][lane];
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

// One multiply-accumulate of `pe` outputs a cycle, over events only; then the result of the frame.
template <class CONFIG_T>
void delta_accumulate(const typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats],
                      const typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats], unsigned events,
                      typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out],
                      typename CONFIG_T::bias_t biases[CONFIG_T::n_out], bool reset, typename CONFIG_T::state_t total[CONFIG_T::n_out]) {
    static const unsigned pe = delta_dense_shape<CONFIG_T>::pe;
    static typename CONFIG_T::state_t state[CONFIG_T::n_out];
    #pragma HLS ARRAY_PARTITION variable=state complete
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=pe
    static bool running = false;
    const bool fresh = reset || !running;
    running = true;

Load:
    for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
        #pragma HLS UNROLL
        if (fresh)
            state[o] = biases[o];
    }
Event:
    for (unsigned e = 0; e < events; e++) {
    Word:
        for (unsigned word = 0; word < CONFIG_T::reuse_factor; word++) {
            #pragma HLS PIPELINE II=1
            const unsigned row = unsigned(address[e % CONFIG_T::lanes][e / CONFIG_T::lanes]) * CONFIG_T::n_out;
            const typename CONFIG_T::delta_t d = delta[e % CONFIG_T::lanes][e / CONFIG_T::lanes];
        Lane:
            for (unsigned lane = 0; lane < pe; lane++) {
                #pragma HLS UNROLL
                state[word * pe + lane] += d * weights[row + word * pe + lane];
            }
        }
    }
Emit:
    for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
        #pragma HLS UNROLL
        total[o] = state[o];
    }
#ifndef __SYNTHESIS__
    delta_count<CONFIG_T>(delta_dense_shape<CONFIG_T>::beats, events, CONFIG_T::n_out, CONFIG_T::reuse_factor);
#endif
}

template <class data_T, class CONFIG_T>
void delta_scan(data_T data[CONFIG_T::n_in], bool reset,
                typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats],
                typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats], unsigned &events) {
    static const unsigned beats = delta_dense_shape<CONFIG_T>::beats;
    static typename CONFIG_T::code_t sent[beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    static bool running = false;
    const bool fresh = reset || !running;
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
        delta_scan_beat<CONFIG_T>(now, beat, fresh, sent, address, delta, found);
    }
    events = found;
}

template <class CONFIG_T, class res_T>
void delta_result(const typename CONFIG_T::state_t total[CONFIG_T::n_out], res_T res[CONFIG_T::n_out]) {
Output:
    for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
        #pragma HLS UNROLL
        res[o] = delta_value<res_T>(total[o]);
    }
}

template <class data_T, class res_T, class CONFIG_T>
void delta_dense(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_out],
                 typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out],
                 typename CONFIG_T::bias_t biases[CONFIG_T::n_out], bool reset) {
    #pragma HLS DATAFLOW
    typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats];
    typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_dense_shape<CONFIG_T>::beats];
    typename CONFIG_T::state_t total[CONFIG_T::n_out];
    #pragma HLS ARRAY_PARTITION variable=address complete dim=1
    #pragma HLS ARRAY_PARTITION variable=delta complete dim=1
    #pragma HLS ARRAY_PARTITION variable=total complete
    unsigned events;
    delta_scan<data_T, CONFIG_T>(data, reset, address, delta, events);
    delta_accumulate<CONFIG_T>(address, delta, events, weights, biases, reset, total);
    delta_result<CONFIG_T, res_T>(total, res);
}

} // namespace nnet

#endif
