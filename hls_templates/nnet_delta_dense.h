// SPDX-License-Identifier: Apache-2.0
// DeltaDense: a_t = a_{t-1} + W * d_t, as two processes that overlap on consecutive frames.
//
//   accumulate  loops over the events only; an event takes reuse_factor cycles of n_out / reuse_factor MACs
//   results     sends the words of the frame, if there was an event, from a copy that is complete when the frame is
//
// Shapes:    event tokens {mark, address, delta} of n_in elements -> word tokens {mark, index, values[lanes]};
//            weights[n_in * n_out] with the outputs of one input together.
// II:        1 in both; a frame takes events * reuse_factor cycles of accumulate, and n_out / lanes of results, each and one for
//            its end. The accumulators are registers, so back-to-back updates of one word need no forwarding.
// State:     state[n_out]; the start of a stream sets it to the biases. Nothing relies on the array being cleared.
// Exactness: integers that wrap within a bound no partial sum leaves; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_DENSE_H_
#define NNET_DELTA_DENSE_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_dense_config {
    // index, n_in, n_out, reuse_factor, lanes: unsigned; lanes: outputs in a word token. event_t: of an event token, delta_t: of its delta. word_t: of a word token,
    // state_t: of its values, the accumulators. weight_t, bias_t: of the integer parameters.
};

template <class CONFIG_T> struct delta_dense_shape {
    static const unsigned pe = CONFIG_T::n_out / CONFIG_T::reuse_factor;
    static const unsigned pieces = pe / CONFIG_T::lanes; // tokens of a word
    static_assert(pe % CONFIG_T::lanes == 0, "the lanes of a token must divide those of a word");
    typedef delta_chunks<typename CONFIG_T::state_t, pe> chunks;
    typedef delta_chunks<typename CONFIG_T::weight_t, pe, typename CONFIG_T::state_t> weights_t;
    static const unsigned lines = CONFIG_T::n_in * CONFIG_T::reuse_factor; // of weights
    static_assert(CONFIG_T::n_out % CONFIG_T::reuse_factor == 0, "the reuse factor must divide the number of outputs");
};

// One multiply-accumulate of `pe` outputs per cycle, over events only; then the result of the frame.
template <class CONFIG_T>
void delta_accumulate(hls::stream<typename CONFIG_T::event_t> &events,
                      const typename delta_dense_shape<CONFIG_T>::weights_t::type
                          weights[delta_dense_shape<CONFIG_T>::lines * delta_dense_shape<CONFIG_T>::weights_t::count],
                      const typename CONFIG_T::bias_t biases[CONFIG_T::n_out],
                      typename delta_dense_shape<CONFIG_T>::chunks::type total[CONFIG_T::reuse_factor]
                                                                              [delta_dense_shape<CONFIG_T>::chunks::count],
                      bool &started, bool &touched) {
    typedef delta_token<typename CONFIG_T::event_t, typename CONFIG_T::delta_t, 1> token;
    typedef delta_dense_shape<CONFIG_T> shape;
    static typename shape::chunks::type state[CONFIG_T::reuse_factor][shape::chunks::count];
    #pragma HLS ARRAY_PARTITION variable=state complete dim=0
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=shape::pe
    bool first_of_stream = false, some = false, done = false;
    bool start = false;
    unsigned word = 0, row = 0, trips = 0;
    typename CONFIG_T::delta_t delta[1] = {0};

Step:
    while (!done) {
        #pragma HLS PIPELINE II=1
        if (word == 0) {
            const typename CONFIG_T::event_t event = events.read();
            done = token::is_last(event);
            start = token::is_start(event);
            row = token::take(event, delta) * CONFIG_T::reuse_factor;
        }
    Chunk:
        for (unsigned c = 0; c < shape::chunks::count && !done && !start; c++) {
            #pragma HLS UNROLL
            typename CONFIG_T::state_t value[shape::chunks::per];
            typename CONFIG_T::weight_t weight[shape::chunks::per];
            #pragma HLS ARRAY_PARTITION variable=value complete
            #pragma HLS ARRAY_PARTITION variable=weight complete
            shape::chunks::load(state[word][c], c, value);
            shape::weights_t::load(weights[(row + word) * shape::weights_t::count + c], c, weight);
        Lane:
            for (unsigned lane = 0; lane < shape::chunks::per && c * shape::chunks::per + lane < shape::pe; lane++) {
                #pragma HLS UNROLL
                value[lane] += delta[0] * weight[lane];
            }
            shape::chunks::store(value, c, state[word][c]);
        }
    Load:
        for (unsigned w = 0; w < CONFIG_T::reuse_factor && start; w++) {
            #pragma HLS UNROLL
            for (unsigned c = 0; c < shape::chunks::count; c++) {
                #pragma HLS UNROLL
                typename CONFIG_T::state_t bias[shape::chunks::per];
                #pragma HLS ARRAY_PARTITION variable=bias complete
                for (unsigned lane = 0; lane < shape::chunks::per && c * shape::chunks::per + lane < shape::pe; lane++) {
                    #pragma HLS UNROLL
                    bias[lane] = biases[w * shape::pe + c * shape::chunks::per + lane];
                }
                shape::chunks::store(bias, c, state[w][c]);
            }
        }
        first_of_stream = first_of_stream || start;
        some = some || !done;
        word = done || start || word + 1 == CONFIG_T::reuse_factor ? 0 : word + 1;
        trips += start ? 0 : 1;
    }
Emit:
    for (unsigned w = 0; w < CONFIG_T::reuse_factor; w++) {
        #pragma HLS UNROLL
        for (unsigned c = 0; c < shape::chunks::count; c++) {
            #pragma HLS UNROLL
            total[w][c] = state[w][c];
        }
    }
    started = first_of_stream;
    touched = some;
#ifndef __SYNTHESIS__
    const unsigned long long taken = (trips - 1) / CONFIG_T::reuse_factor;
    delta_counter &counter = delta_counted<CONFIG_T>(trips);
    counter.events += taken;
    counter.macs += taken * CONFIG_T::n_out;
#endif
}

template <class CONFIG_T>
void delta_results(const typename delta_dense_shape<CONFIG_T>::chunks::type
                       total[CONFIG_T::reuse_factor][delta_dense_shape<CONFIG_T>::chunks::count],
                   bool started, bool touched, hls::stream<typename CONFIG_T::word_t> &words) {
    typedef delta_token<typename CONFIG_T::word_t, typename CONFIG_T::state_t, CONFIG_T::lanes> token;
    typedef delta_dense_shape<CONFIG_T> shape;
    const unsigned count = touched ? CONFIG_T::reuse_factor * shape::pieces : 0;
    if (started)
        words.write(token::start());

Word:
    for (unsigned word = 0; word <= count; word++) {
        #pragma HLS PIPELINE II=1
        typename CONFIG_T::state_t values[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=values complete
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes && word < count; lane++) {
            #pragma HLS UNROLL
            values[lane] = shape::chunks::get(total[word / shape::pieces], word % shape::pieces * CONFIG_T::lanes + lane);
        }
        words.write(word < count ? token::make(word, values) : token::last());
    }
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(count + 1).words += count;
#endif
}

template <class CONFIG_T>
void delta_dense(hls::stream<typename CONFIG_T::event_t> &events, hls::stream<typename CONFIG_T::word_t> &words,
                 const typename delta_dense_shape<CONFIG_T>::weights_t::type
                          weights[delta_dense_shape<CONFIG_T>::lines * delta_dense_shape<CONFIG_T>::weights_t::count],
                 const typename CONFIG_T::bias_t biases[CONFIG_T::n_out]) {
    #pragma HLS DATAFLOW
    typename delta_dense_shape<CONFIG_T>::chunks::type total[CONFIG_T::reuse_factor][delta_dense_shape<CONFIG_T>::chunks::count];
    #pragma HLS ARRAY_PARTITION variable=total complete dim=0
    bool started, touched;
    delta_accumulate<CONFIG_T>(events, weights, biases, total, started, touched);
    delta_results<CONFIG_T>(total, started, touched, words);
}

} // namespace nnet

#endif
