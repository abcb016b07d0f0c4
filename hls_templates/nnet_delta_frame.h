// SPDX-License-Identifier: Apache-2.0
// The output of a network: keeps the last frame, takes what changed in it, and sends it whole.
//
// Shapes:    word tokens {mark, index, values[lanes]} (delta_keep_words) or event tokens {mark, address, delta}
//            (delta_keep_events) of n elements -> ceil(n / lanes) beats {last, codes[lanes]} a frame.
// II:        1; a frame takes a cycle for each token, and then ceil(n / lanes) to be sent.
// State:     frame[n]. In the first frame of a stream every word comes; of events, which bring only what is not 0, the start of a
//            stream clears it.
// Exactness: codes are kept as they are; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_FRAME_H_
#define NNET_DELTA_FRAME_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_frame_config {
    // index, n, lanes: unsigned; lanes divides n of words. token_t: of a token, value_t: of its values. code_t: of an output
    // code, beat_t: of a beat of them.
};

template <class CONFIG_T> struct delta_frame_shape {
    static const unsigned beats = (CONFIG_T::n + CONFIG_T::lanes - 1) / CONFIG_T::lanes;
};

template <class CONFIG_T>
void delta_send_frame(const typename CONFIG_T::code_t frame[][CONFIG_T::lanes], hls::stream<typename CONFIG_T::beat_t> &sent) {
    #pragma HLS INLINE
    typedef delta_token<typename CONFIG_T::beat_t, typename CONFIG_T::code_t, CONFIG_T::lanes> token;
    static const unsigned beats = delta_frame_shape<CONFIG_T>::beats;
Beat:
    for (unsigned beat = 0; beat < beats; beat++) {
        #pragma HLS PIPELINE II=1
        typename CONFIG_T::code_t codes[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=codes complete
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            codes[lane] = frame[beat][lane];
        }
        sent.write(token::make(beat + 1 == beats, codes));
    }
}

template <class CONFIG_T>
void delta_keep_words(hls::stream<typename CONFIG_T::token_t> &words, hls::stream<typename CONFIG_T::beat_t> &sent) {
    typedef delta_token<typename CONFIG_T::token_t, typename CONFIG_T::value_t, CONFIG_T::lanes> token;
    static typename CONFIG_T::code_t frame[delta_frame_shape<CONFIG_T>::beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=frame complete dim=2
    unsigned trips = 0;
    bool done = false;
Word:
    while (!done) {
        #pragma HLS PIPELINE II=1
        const typename CONFIG_T::token_t word = words.read();
        typename CONFIG_T::value_t values[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=values complete
        const unsigned index = token::take(word, values);
        const bool mark = token::is_mark(word), start = token::is_start(word);
        done = mark && !start;
        if (!mark) {
        Lane:
            for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
                #pragma HLS UNROLL
                frame[index][lane] = values[lane];
            }
        }
        trips += start ? 0 : 1;
    }
    delta_send_frame<CONFIG_T>(frame, sent);
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(trips + delta_frame_shape<CONFIG_T>::beats).beats += delta_frame_shape<CONFIG_T>::beats;
#endif
}

// The same of events, which change a code.
template <class CONFIG_T>
void delta_keep_events(hls::stream<typename CONFIG_T::token_t> &events, hls::stream<typename CONFIG_T::beat_t> &sent) {
    typedef delta_token<typename CONFIG_T::token_t, typename CONFIG_T::value_t, 1> token;
    static typename CONFIG_T::code_t frame[delta_frame_shape<CONFIG_T>::beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_PARTITION variable=frame complete dim=2
    typename CONFIG_T::token_t event = events.read();
    const bool first_of_stream = token::is_start(event);
    unsigned trips = 0;
    bool done = false, unread = first_of_stream;
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
        if (unread)
            event = events.read();
        unread = true;
        typename CONFIG_T::value_t delta[1];
        const unsigned e = token::take(event, delta);
        done = token::is_last(event);
        if (!done)
            frame[e / CONFIG_T::lanes][e % CONFIG_T::lanes] += typename CONFIG_T::code_t(delta[0]);
        trips++;
    }
    delta_send_frame<CONFIG_T>(frame, sent);
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(trips + delta_frame_shape<CONFIG_T>::beats).beats += delta_frame_shape<CONFIG_T>::beats;
#endif
}

} // namespace nnet

#endif
