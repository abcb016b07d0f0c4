// SPDX-License-Identifier: Apache-2.0
// The output of a network: keeps the last frame, takes what changed in it, and writes it whole.
//
// Shapes:    word tokens {end, index, values[lanes]} (delta_frame) or event tokens {end, address, delta} (delta_frame_of_events)
//            of n elements -> res[n] (io_parallel), or n / size packets of `size` values (io_stream; a nnet::array).
// II:        1; a frame takes a cycle for each token, and then ceil(n / lanes) to be written.
// State:     frame[n]. In the first frame of a stream every word comes; of events, which bring only what is not 0, the kept
//            frame is cleared before reset's (or power-up's) one.
// Exactness: codes are kept as they are; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_FRAME_H_
#define NNET_DELTA_FRAME_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_frame_config {
    // index, n, lanes: unsigned; lanes divides n of words. token_t: of a token, value_t: of its values. code_t: of an output
    // code.
};

template <class CONFIG_T> struct delta_frame_shape {
    static const unsigned beats = (CONFIG_T::n + CONFIG_T::lanes - 1) / CONFIG_T::lanes;
};

template <class CONFIG_T, class res_T>
void delta_write(const typename CONFIG_T::code_t frame[][CONFIG_T::lanes], res_T res[CONFIG_T::n]) {
    #pragma HLS INLINE
Beat:
    for (unsigned beat = 0; beat < delta_frame_shape<CONFIG_T>::beats; beat++) {
        #pragma HLS PIPELINE II=1
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            const unsigned e = beat * CONFIG_T::lanes + lane;
            if (e < CONFIG_T::n)
                res[e] = delta_value<res_T>(frame[beat][lane]);
        }
    }
}

template <class CONFIG_T, class res_T>
void delta_write(const typename CONFIG_T::code_t frame[][CONFIG_T::lanes], hls::stream<res_T> &res) {
    #pragma HLS INLINE
    static_assert(CONFIG_T::n % res_T::size == 0 && res_T::size % CONFIG_T::lanes == 0, "a frame is packets, a packet is words");
    res_T packet;
Beat:
    for (unsigned beat = 0; beat < delta_frame_shape<CONFIG_T>::beats; beat++) {
        #pragma HLS PIPELINE II=1
        const unsigned first = beat * CONFIG_T::lanes % res_T::size;
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            packet[first + lane] = delta_value<typename res_T::value_type>(frame[beat][lane]);
        }
        if (first + CONFIG_T::lanes == res_T::size)
            res.write(packet);
    }
}

// Takes the words of a frame, and returns how many tokens came.
template <class CONFIG_T>
unsigned delta_take_words(hls::stream<typename CONFIG_T::token_t> &words, typename CONFIG_T::code_t frame[][CONFIG_T::lanes]) {
    #pragma HLS INLINE
    typedef delta_token<typename CONFIG_T::token_t, typename CONFIG_T::value_t, CONFIG_T::lanes> token;
    unsigned trips = 0;
    bool done = false;
Word:
    while (!done) {
        #pragma HLS PIPELINE II=1
        const typename CONFIG_T::token_t word = words.read();
        typename CONFIG_T::value_t values[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=values complete
        const unsigned index = token::take(word, values);
        done = token::is_last(word);
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes && !done; lane++) {
            #pragma HLS UNROLL
            frame[index][lane] = values[lane];
        }
        trips++;
    }
    return trips;
}

// The same of events, which change a code.
template <class CONFIG_T>
unsigned delta_take_events(hls::stream<typename CONFIG_T::token_t> &events, bool first_of_stream,
                           typename CONFIG_T::code_t frame[][CONFIG_T::lanes]) {
    #pragma HLS INLINE
    typedef delta_token<typename CONFIG_T::token_t, typename CONFIG_T::value_t, 1> token;
    unsigned trips = 0;
    bool done = false;
Clear:
    for (unsigned beat = 0; first_of_stream && beat < delta_frame_shape<CONFIG_T>::beats; beat++) {
        #pragma HLS PIPELINE II=1
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            frame[beat][lane] = 0;
        }
        trips++;
    }
Event:
    while (!done) {
        #pragma HLS PIPELINE II=1
        #pragma HLS DEPENDENCE variable=frame inter false
        const typename CONFIG_T::token_t event = events.read();
        typename CONFIG_T::value_t delta[1];
        const unsigned e = token::take(event, delta);
        done = token::is_last(event);
        if (!done)
            frame[e / CONFIG_T::lanes][e % CONFIG_T::lanes] += typename CONFIG_T::code_t(delta[0]);
        trips++;
    }
    return trips;
}

#ifndef __SYNTHESIS__
template <class CONFIG_T> void delta_count_frame(unsigned tokens) {
    delta_counted<CONFIG_T>(tokens + delta_frame_shape<CONFIG_T>::beats).beats += delta_frame_shape<CONFIG_T>::beats;
}
#endif

template <class CONFIG_T, class res_T> void delta_frame(hls::stream<typename CONFIG_T::token_t> &words, res_T res[CONFIG_T::n]) {
    static typename CONFIG_T::code_t frame[delta_frame_shape<CONFIG_T>::beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=frame complete dim=2
    const unsigned tokens = delta_take_words<CONFIG_T>(words, frame);
    delta_write<CONFIG_T, res_T>(frame, res);
#ifndef __SYNTHESIS__
    delta_count_frame<CONFIG_T>(tokens);
#endif
}

template <class CONFIG_T, class res_T> void delta_frame(hls::stream<typename CONFIG_T::token_t> &words, hls::stream<res_T> &res) {
    static typename CONFIG_T::code_t frame[delta_frame_shape<CONFIG_T>::beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=frame complete dim=2
    const unsigned tokens = delta_take_words<CONFIG_T>(words, frame);
    delta_write<CONFIG_T, res_T>(frame, res);
#ifndef __SYNTHESIS__
    delta_count_frame<CONFIG_T>(tokens);
#endif
}

template <class CONFIG_T, class res_T>
void delta_frame_of_events(hls::stream<typename CONFIG_T::token_t> &events, res_T res[CONFIG_T::n], bool reset) {
    static typename CONFIG_T::code_t frame[delta_frame_shape<CONFIG_T>::beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_PARTITION variable=frame complete dim=2
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;
    const unsigned tokens = delta_take_events<CONFIG_T>(events, first_of_stream, frame);
    delta_write<CONFIG_T, res_T>(frame, res);
#ifndef __SYNTHESIS__
    delta_count_frame<CONFIG_T>(tokens);
#endif
}

template <class CONFIG_T, class res_T>
void delta_frame_of_events(hls::stream<typename CONFIG_T::token_t> &events, hls::stream<res_T> &res, bool reset) {
    static typename CONFIG_T::code_t frame[delta_frame_shape<CONFIG_T>::beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_PARTITION variable=frame complete dim=2
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;
    const unsigned tokens = delta_take_events<CONFIG_T>(events, first_of_stream, frame);
    delta_write<CONFIG_T, res_T>(frame, res);
#ifndef __SYNTHESIS__
    delta_count_frame<CONFIG_T>(tokens);
#endif
}

} // namespace nnet

#endif
