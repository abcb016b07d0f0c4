// SPDX-License-Identifier: Apache-2.0
// The delta activation at the input of a network: reads whole frames, `lanes` codes a cycle, and sends what changed. What it
// computes is in nnet_delta_activation.h. Two processes that overlap: scan and serialize.
//
// Shapes:    data[n] (io_parallel) or n / size packets of `size` values (io_stream; a nnet::array) -> event tokens
//            {end, address, delta}.
// II:        1 in both; a frame takes ceil(n / lanes) cycles of scan, and of serialize one for each event and one for its end.
// State:     sent[n], what was last sent. reset (or power-up) reads it as 0 for one frame.
// Exactness: equal to codesign.graph.golden on every code.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_SCAN_H_
#define NNET_DELTA_SCAN_H_

#include "nnet_delta_activation.h"

namespace nnet {

// CONFIG_T is that of an activation; z_t: of an input code. A word is a beat.
template <class data_T, class CONFIG_T>
void delta_scan_frame(const data_T data[CONFIG_T::n], hls::stream<typename delta_tokens<CONFIG_T>::change_t> &changes,
                      const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                      const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step], bool reset) {
    static typename CONFIG_T::code_t sent[delta_tokens<CONFIG_T>::words][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;

Beat:
    for (unsigned beat = 0; beat < delta_tokens<CONFIG_T>::words; beat++) {
        #pragma HLS PIPELINE II=1
        typename CONFIG_T::z_t z[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=z complete
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            const unsigned e = beat * CONFIG_T::lanes + lane;
            z[lane] = 0;
            if (e < CONFIG_T::n)
                z[lane] = delta_code<typename CONFIG_T::z_t>(data[e]);
        }
        delta_send_word<CONFIG_T>(beat, z, first_of_stream, sent, step, threshold, changes);
    }
    changes.write(delta_tokens<CONFIG_T>::change::last());
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(delta_tokens<CONFIG_T>::words).beats += delta_tokens<CONFIG_T>::words;
#endif
}

template <class data_T, class CONFIG_T>
void delta_scan_frame(hls::stream<data_T> &data, hls::stream<typename delta_tokens<CONFIG_T>::change_t> &changes,
                      const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                      const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step], bool reset) {
    static_assert(unsigned(data_T::size) == CONFIG_T::lanes, "a beat is a packet");
    static_assert(CONFIG_T::n % CONFIG_T::lanes == 0, "a frame must be whole packets");
    static typename CONFIG_T::code_t sent[delta_tokens<CONFIG_T>::words][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;

Packet:
    for (unsigned beat = 0; beat < delta_tokens<CONFIG_T>::words; beat++) {
        #pragma HLS PIPELINE II=1
        data_T packet = data.read();
        typename CONFIG_T::z_t z[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=z complete
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            z[lane] = delta_code<typename CONFIG_T::z_t>(packet[lane]);
        }
        delta_send_word<CONFIG_T>(beat, z, first_of_stream, sent, step, threshold, changes);
    }
    changes.write(delta_tokens<CONFIG_T>::change::last());
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(delta_tokens<CONFIG_T>::words).beats += delta_tokens<CONFIG_T>::words;
#endif
}

template <class data_T, class CONFIG_T>
void delta_scan(const data_T data[CONFIG_T::n], hls::stream<typename CONFIG_T::event_t> &events,
                const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step], bool reset) {
    #pragma HLS DATAFLOW
    hls::stream<typename delta_tokens<CONFIG_T>::change_t> changes("changes");
    #pragma HLS STREAM variable=changes depth=64
    delta_scan_frame<data_T, CONFIG_T>(data, changes, step, threshold, reset);
    delta_serialize<CONFIG_T>(changes, events);
}

template <class data_T, class CONFIG_T>
void delta_scan(hls::stream<data_T> &data, hls::stream<typename CONFIG_T::event_t> &events,
                const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step], bool reset) {
    #pragma HLS DATAFLOW
    hls::stream<typename delta_tokens<CONFIG_T>::change_t> changes("changes");
    #pragma HLS STREAM variable=changes depth=64
    delta_scan_frame<data_T, CONFIG_T>(data, changes, step, threshold, reset);
    delta_serialize<CONFIG_T>(changes, events);
}

} // namespace nnet

#endif
