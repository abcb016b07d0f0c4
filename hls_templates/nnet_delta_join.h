// SPDX-License-Identifier: Apache-2.0
// DeltaJoin: two tensors added, or put side by side along the channels, on a common lattice. More than two are joined by a
// chain of delta_merge and a delta_join at its end. DeltaCopy: one stream of tokens for two readers.
//
//   merge  events of the first input, then those of the second, as events of what is joined
//   then   the sums, as in nnet_delta_conv.h with kernels of 1
//
// Shapes:    event tokens of n_first and of n_second channels a position -> event tokens (delta_merge) or word tokens
//            {mark, index, values[pe]} (delta_join) of n_chan channels. An element may have two events in a frame.
// II:        1; a frame takes a cycle for each event of both, and one for each of their ends.
// State:     of delta_merge and DeltaCopy none; of delta_join that of the sums.
// Streams:   where a tensor with two readers branches and joins again, each of their streams has to hold a whole frame, as the
//            second input waits until the first one's frame is complete (codesign.hls4ml_plugin.writer.tokens).
// Exactness: a delta is shifted left, the sum fits its type; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_JOIN_H_
#define NNET_DELTA_JOIN_H_

#include "nnet_delta_conv.h"

namespace nnet {

struct delta_join_config : delta_conv_config {
    // What delta_conv reads, event_t being that of what is joined; n_first, n_second: unsigned channels. shift_first,
    // shift_second: unsigned bits. add: bool; else the channels of second follow those of first. first_t, second_t: of the
    // event tokens of both; first_delta_t, second_delta_t: of their deltas.
};

template <class CONFIG_T>
void delta_merge(hls::stream<typename CONFIG_T::first_t> &first, hls::stream<typename CONFIG_T::second_t> &second,
                 hls::stream<typename CONFIG_T::event_t> &events) {
    typedef delta_token<typename CONFIG_T::first_t, typename CONFIG_T::first_delta_t, 1> one;
    typedef delta_token<typename CONFIG_T::second_t, typename CONFIG_T::second_delta_t, 1> two;
    typedef delta_token<typename CONFIG_T::event_t, typename CONFIG_T::delta_t, 1> joined;
    static const unsigned offset = CONFIG_T::add ? 0 : CONFIG_T::n_first; // first channel of second
    bool at_second = false, done = false;
    unsigned trips = 0;

Event:
    while (!done) {
        #pragma HLS PIPELINE II=1
        unsigned element;
        typename CONFIG_T::delta_t delta[1];
        bool end, start;
        if (!at_second) {
            const typename CONFIG_T::first_t event = first.read();
            typename CONFIG_T::first_delta_t change[1];
            const unsigned e = one::take(event, change);
            end = one::is_last(event);
            start = one::is_start(event);
            element = e / CONFIG_T::n_first * CONFIG_T::n_chan + e % CONFIG_T::n_first;
            delta[0] = change[0].to_int64() << CONFIG_T::shift_first;
        } else {
            const typename CONFIG_T::second_t event = second.read();
            typename CONFIG_T::second_delta_t change[1];
            const unsigned e = two::take(event, change);
            end = two::is_last(event);
            start = two::is_start(event);
            element = e / CONFIG_T::n_second * CONFIG_T::n_chan + e % CONFIG_T::n_second + offset;
            delta[0] = change[0].to_int64() << CONFIG_T::shift_second;
        }
        const bool start_again = start && at_second; // the first input has said so
        done = end && at_second;
        at_second = at_second || end;
        if (done || (start && !start_again))
            events.write(done ? joined::last() : joined::start());
        else if (!end && !start)
            events.write(joined::make(element, delta));
        trips += start ? 0 : 1;
    }
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(trips);
#endif
}

template <class CONFIG_T>
void delta_join(hls::stream<typename CONFIG_T::first_t> &first, hls::stream<typename CONFIG_T::second_t> &second,
                hls::stream<typename CONFIG_T::word_t> &words) {
    #pragma HLS DATAFLOW
    hls::stream<typename CONFIG_T::event_t> events("events");
    #pragma HLS STREAM variable=events depth=32
    delta_merge<CONFIG_T>(first, second, events);
    delta_slide<CONFIG_T>(events, words);
}

// Tokens of any kind. The only kernel that two processes may call with the same types, and a function of its own for PandA-Bambu
// then, which stops at its streams ("map::at").
template <class token_T>
#ifdef __BAMBU__
__attribute__((always_inline))
#endif
inline void delta_copy(hls::stream<token_T> &tokens, hls::stream<token_T> &first, hls::stream<token_T> &second) {
    bool done = false;
Token:
    while (!done) {
        #pragma HLS PIPELINE II=1
        const token_T token = tokens.read();
        first.write(token);
        second.write(token);
        done = delta_marks<token_T>::is_last(token);
    }
}

} // namespace nnet

#endif
