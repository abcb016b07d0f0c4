// SPDX-License-Identifier: Apache-2.0
// Where a project of hls4ml meets the outside: frames as arrays (io_parallel) or packets (io_stream), from and to beats.
// A design that is a stream of beats itself, as an HLS compiler builds it alone, has no need of them.
//
// Shapes:    data[n], or n / size packets of `size` values (a nnet::array) -> beat tokens {first, codes[lanes]}, and
//            beat tokens {last, codes[lanes]} -> res[n] or packets. Lanes after the last element of a frame are 0.
// II:        1 in all; a frame takes a cycle for each beat.
// State:     whether the stream has begun. reset (or power-up) marks the first beat of one frame.
// Exactness: codes are moved as they are; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_PORTS_H_
#define NNET_DELTA_PORTS_H_

#include "nnet_delta_activation.h"
#include "nnet_delta_frame.h"

namespace nnet {

// Whether this frame starts a stream: the first one of all, or one with a reset. CONFIG_T: whose frames they are.
template <class CONFIG_T> bool delta_starts(bool reset) {
    #pragma HLS INLINE
    static bool running = false;
    const bool starts = reset || !running;
    running = true;
    return starts;
}

// CONFIG_T is that of the activation at the input. Of each frame the first beat has the flag, if it begins a stream.
template <class data_T, class CONFIG_T>
void delta_read(const data_T data[CONFIG_T::n], hls::stream<typename CONFIG_T::word_t> &beats, bool reset) {
    typedef delta_token<typename CONFIG_T::word_t, typename CONFIG_T::z_t, CONFIG_T::lanes> token;
    const bool first_of_stream = delta_starts<CONFIG_T>(reset);

Beat:
    for (unsigned beat = 0; beat < delta_tokens<CONFIG_T>::words; beat++) {
        #pragma HLS PIPELINE II=1
        typename CONFIG_T::z_t codes[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=codes complete
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            const unsigned e = beat * CONFIG_T::lanes + lane;
            codes[lane] = 0;
            if (e < CONFIG_T::n)
                codes[lane] = delta_code<typename CONFIG_T::z_t>(data[e]);
        }
        beats.write(token::make(first_of_stream && beat == 0, codes));
    }
}

template <class data_T, class CONFIG_T>
void delta_read(hls::stream<data_T> &data, hls::stream<typename CONFIG_T::word_t> &beats, bool reset) {
    typedef delta_token<typename CONFIG_T::word_t, typename CONFIG_T::z_t, CONFIG_T::lanes> token;
    static_assert(unsigned(data_T::size) == CONFIG_T::lanes, "a beat is a packet");
    static_assert(CONFIG_T::n % CONFIG_T::lanes == 0, "a frame must be whole packets");
    const bool first_of_stream = delta_starts<CONFIG_T>(reset);

Packet:
    for (unsigned beat = 0; beat < delta_tokens<CONFIG_T>::words; beat++) {
        #pragma HLS PIPELINE II=1
        data_T packet = data.read();
        typename CONFIG_T::z_t codes[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=codes complete
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            codes[lane] = delta_code<typename CONFIG_T::z_t>(packet[lane]);
        }
        beats.write(token::make(first_of_stream && beat == 0, codes));
    }
}

// CONFIG_T is that of the frame at the output.
template <class CONFIG_T, class res_T>
void delta_write(hls::stream<typename CONFIG_T::beat_t> &beats, res_T res[CONFIG_T::n]) {
    typedef delta_token<typename CONFIG_T::beat_t, typename CONFIG_T::code_t, CONFIG_T::lanes> token;

Beat:
    for (unsigned beat = 0; beat < delta_frame_shape<CONFIG_T>::beats; beat++) {
        #pragma HLS PIPELINE II=1
        typename CONFIG_T::code_t codes[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=codes complete
        token::take(beats.read(), codes);
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            const unsigned e = beat * CONFIG_T::lanes + lane;
            if (e < CONFIG_T::n)
                res[e] = delta_value<res_T>(codes[lane]);
        }
    }
}

template <class CONFIG_T, class res_T>
void delta_write(hls::stream<typename CONFIG_T::beat_t> &beats, hls::stream<res_T> &res) {
    typedef delta_token<typename CONFIG_T::beat_t, typename CONFIG_T::code_t, CONFIG_T::lanes> token;
    static_assert(CONFIG_T::n % res_T::size == 0 && res_T::size % CONFIG_T::lanes == 0, "a frame is packets, a packet is beats");
    res_T packet;

Beat:
    for (unsigned beat = 0; beat < delta_frame_shape<CONFIG_T>::beats; beat++) {
        #pragma HLS PIPELINE II=1
        const unsigned first = beat * CONFIG_T::lanes % res_T::size;
        typename CONFIG_T::code_t codes[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=codes complete
        token::take(beats.read(), codes);
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            packet[first + lane] = delta_value<typename res_T::value_type>(codes[lane]);
        }
        if (first + CONFIG_T::lanes == res_T::size)
            res.write(packet);
    }
}

// The input of a project: `data_T` are values of an array, or packets of a stream.
template <class data_T, class CONFIG_T, class source_T>
void delta_scan(source_T &data, hls::stream<typename CONFIG_T::event_t> &events,
                const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step], bool reset) {
    #pragma HLS DATAFLOW
    hls::stream<typename CONFIG_T::word_t> beats("beats");
    hls::stream<typename delta_tokens<CONFIG_T>::change_t> changes("changes");
    #pragma HLS STREAM variable=changes depth=64
    delta_read<data_T, CONFIG_T>(data, beats, reset);
    delta_scan_beats<CONFIG_T>(beats, changes, step, threshold);
    delta_serialize<CONFIG_T>(changes, events);
}

// The output of a project: `res_T` are values of an array, or packets of a stream.
template <class CONFIG_T, class res_T, class sink_T>
void delta_frame(hls::stream<typename CONFIG_T::token_t> &words, sink_T &res) {
    #pragma HLS DATAFLOW
    hls::stream<typename CONFIG_T::beat_t> beats("beats");
    delta_keep_words<CONFIG_T>(words, beats);
    delta_write<CONFIG_T, res_T>(beats, res);
}

// The same of a network that ends with an activation.
template <class CONFIG_T, class res_T, class sink_T>
void delta_frame_of_events(hls::stream<typename CONFIG_T::token_t> &events, sink_T &res) {
    #pragma HLS DATAFLOW
    hls::stream<typename CONFIG_T::beat_t> beats("beats");
    delta_keep_events<CONFIG_T>(events, beats);
    delta_write<CONFIG_T, res_T>(beats, res);
}

} // namespace nnet

#endif
