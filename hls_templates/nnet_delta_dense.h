// SPDX-License-Identifier: Apache-2.0
// DeltaDense: a_t = a_{t-1} + W * d_t, as two processes that overlap on consecutive frames.
//
//   scan        finds the codes that changed (nnet_delta_scan.h)
//   accumulate  loops over the events only; an event takes reuse_factor cycles of n_out / reuse_factor MACs
//
// Shapes:    data[n_in] -> res[n_out]; weights[n_in * n_out] with the outputs of one input together.
// II:        1 in both; a frame takes ceil(n_in / lanes) cycles of scan and events * reuse_factor of accumulate. The
//            accumulators are registers, so back-to-back updates of one word need no forwarding.
// State:     that of the scan, and state[n_out]. reset (or power-up) reads them as 0 and bias for one frame; nothing
//            relies on the arrays being cleared.
// Exactness: integers that wrap within a bound no partial sum leaves; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_DENSE_H_
#define NNET_DELTA_DENSE_H_

#include "nnet_delta_scan.h"

namespace nnet {

struct delta_dense_config {
    // What the scan reads; n_out, reuse_factor: unsigned. state_t: of an accumulator. weight_t, bias_t: of the integer
    // parameters.
};

template <class CONFIG_T> struct delta_dense_shape {
    static const unsigned pe = CONFIG_T::n_out / CONFIG_T::reuse_factor;
    static_assert(CONFIG_T::n_out % CONFIG_T::reuse_factor == 0, "the reuse factor must divide the number of outputs");
};

// One multiply-accumulate of `pe` outputs per cycle, over events only; then the result of the frame.
template <class CONFIG_T>
void delta_accumulate(const typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats],
                      const typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats], unsigned events,
                      typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out],
                      typename CONFIG_T::bias_t biases[CONFIG_T::n_out], bool reset, typename CONFIG_T::state_t total[CONFIG_T::n_out]) {
    static const unsigned pe = delta_dense_shape<CONFIG_T>::pe;
    static typename CONFIG_T::state_t state[CONFIG_T::n_out];
    #pragma HLS ARRAY_PARTITION variable=state complete
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=pe
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;

Load:
    for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
        #pragma HLS UNROLL
        if (first_of_stream)
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
    delta_count<CONFIG_T>(delta_scan_shape<CONFIG_T>::beats, events, 1ull * events * CONFIG_T::n_out,
                          delta_scan_shape<CONFIG_T>::beats + 1ull * events * CONFIG_T::reuse_factor);
#endif
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
    typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats];
    typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats];
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
