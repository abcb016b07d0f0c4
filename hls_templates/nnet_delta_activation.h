// SPDX-License-Identifier: Apache-2.0
// DeltaActivation: relu or identity, step, clip and hold on the integer codes of touched words; sends what changed.
//
//   q(z)  = clip(round_half_even(f(z) / 2^(shift + k)) * 2^k, lo, hi)
//   r_t   = q(z_t) if |f(z_t) - r_{t-1} * 2^shift| >= threshold else r_{t-1}        (with hold)
//   r_t   = q(z_t)                                                                  (without)
//   d_t   = r_t - r_{t-1}
//
// Two processes that overlap: send (words to changes {mark, index, deltas}) and serialize (changes to events). At the input of a
// network scan_beats (whole frames to changes) is in the place of send.
//
// Shapes:    word tokens {mark, index, values[lanes]} -> event tokens {mark, address, delta} of n elements; element e belongs
//            to channel e % n_step. A frame brings a word at most once; words that do not come have not changed.
// II:        1 in both; a frame takes a cycle for each word, or beat, and one for each event, and one for its end.
// State:     sent[n], what was last sent; read as 0 in the first frame of a stream, which has to bring every word.
// Exactness: equal to codesign.graph.golden on every code.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_ACTIVATION_H_
#define NNET_DELTA_ACTIVATION_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_activation_config {
    // index, n, lanes, n_step: unsigned. widen, shift: unsigned bits. lo, hi: codes. relu, hold: bool.
    // word_t: of a word token, z_t: of its values. event_t: of an event token, delta_t: of its delta.
    // wide_t: ap_int of every intermediate. code_t: of a code. step_t, threshold_t: of the parameters.
};

// The tokens of a delta activation.
template <class CONFIG_T> struct delta_tokens {
    typedef typename CONFIG_T::delta_t delta_t;
    static const unsigned words = (CONFIG_T::n + CONFIG_T::lanes - 1) / CONFIG_T::lanes;
    typedef ap_uint<delta_wide(1 + delta_width(words - 1) + CONFIG_T::lanes * delta_bits<delta_t>::value)> change_t;
    typedef delta_chunks<typename CONFIG_T::code_t, CONFIG_T::lanes> codes; // of a word
    typedef delta_token<typename CONFIG_T::event_t, delta_t, 1> event;
    typedef delta_token<change_t, delta_t, CONFIG_T::lanes> change;
};

// Words of changes become events, lowest lane first.
template <class CONFIG_T>
void delta_serialize(hls::stream<typename delta_tokens<CONFIG_T>::change_t> &changes,
                     hls::stream<typename CONFIG_T::event_t> &events) {
    typedef delta_tokens<CONFIG_T> tokens;
    typename CONFIG_T::delta_t deltas[CONFIG_T::lanes];
    #pragma HLS ARRAY_PARTITION variable=deltas complete
    ap_uint<CONFIG_T::lanes> left = 0; // lanes that are no event yet
    unsigned index = 0, trips = 0;
    bool done = false, start = false;

Event:
    while (!done) {
        #pragma HLS PIPELINE II=1
        if (left == 0) {
            const typename tokens::change_t change = changes.read();
            done = tokens::change::is_last(change);
            start = tokens::change::is_start(change);
            index = tokens::change::take(change, deltas);
        Changed:
            for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
                #pragma HLS UNROLL
                left[lane] = !done && !start && deltas[lane].to_int64() != 0;
            }
        }
        unsigned first = 0;
    Lane:
        for (unsigned lane = CONFIG_T::lanes; lane > 0; lane--) {
            #pragma HLS UNROLL
            if (left[lane - 1])
                first = lane - 1;
        }
        left = left & (left - 1); // all but the first
        const bool mark = done || start;
        const typename CONFIG_T::delta_t delta[1] = {deltas[first]};
        if (mark)
            events.write(start ? tokens::event::start() : tokens::event::last());
        else
            events.write(tokens::event::make(index * CONFIG_T::lanes + first, delta));
        trips += start ? 0 : 1;
    }
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(trips).events += trips - 1;
#endif
}

// The code to send for one input code z; last is what was last sent.
template <class CONFIG_T, class z_T>
typename CONFIG_T::code_t delta_quantise(const z_T &z, const typename CONFIG_T::code_t &last, const typename CONFIG_T::step_t &k,
                                         const typename CONFIG_T::threshold_t &threshold) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::wide_t wide_t;
    typedef typename CONFIG_T::code_t code_t;
    wide_t f = wide_t(z) << CONFIG_T::widen;
    if (CONFIG_T::relu && f < 0)
        f = 0;
    if (CONFIG_T::hold) {
        const wide_t moved = f - wide_t(wide_t(last) << CONFIG_T::shift);
        if (moved < threshold && -moved < threshold)
            return last;
    }
    const unsigned step = k.to_uint();
    const wide_t q = delta_round<wide_t>(f, CONFIG_T::shift + step) << step;
    if (q < wide_t(CONFIG_T::lo))
        return code_t(CONFIG_T::lo);
    if (q > wide_t(CONFIG_T::hi))
        return code_t(CONFIG_T::hi);
    return code_t(q);
}

// One word: compares with `sent`, stores, and writes what changed.
template <class CONFIG_T>
void delta_send_word(unsigned word, const typename CONFIG_T::z_t z[CONFIG_T::lanes], bool first_of_stream,
                     typename delta_tokens<CONFIG_T>::codes::type sent[][delta_tokens<CONFIG_T>::codes::count],
                     const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                     const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step],
                     hls::stream<typename delta_tokens<CONFIG_T>::change_t> &changes) {
    #pragma HLS INLINE
    typename CONFIG_T::delta_t change[CONFIG_T::lanes];
    #pragma HLS ARRAY_PARTITION variable=change complete
    typedef typename delta_tokens<CONFIG_T>::codes chunks;
    bool changed = false;
Chunk:
    for (unsigned chunk = 0; chunk < chunks::count; chunk++) {
        #pragma HLS UNROLL
        typename CONFIG_T::code_t codes[chunks::per];
        #pragma HLS ARRAY_PARTITION variable=codes complete
        chunks::load(sent[word][chunk], chunk, codes);
    Lane:
        for (unsigned at = 0; at < chunks::per && chunk * chunks::per + at < CONFIG_T::lanes; at++) {
            #pragma HLS UNROLL
            const unsigned lane = chunk * chunks::per + at, e = word * CONFIG_T::lanes + lane;
            change[lane] = 0;
            if (e < CONFIG_T::n) { // lanes beyond the frame never change
                const typename CONFIG_T::code_t last = first_of_stream ? typename CONFIG_T::code_t(0) : codes[at];
                const unsigned c = e % CONFIG_T::n_step;
                const typename CONFIG_T::code_t code = delta_quantise<CONFIG_T>(z[lane], last, step[c], threshold[c]);
                codes[at] = code;
                const long long moved = code.to_int64() - last.to_int64();
                change[lane] = moved;
                changed = changed || moved != 0;
            }
        }
        chunks::store(codes, chunk, sent[word][chunk]);
    }
    if (changed)
        changes.write(delta_tokens<CONFIG_T>::change::make(word, change));
}

template <class CONFIG_T>
void delta_send(hls::stream<typename CONFIG_T::word_t> &words, hls::stream<typename delta_tokens<CONFIG_T>::change_t> &changes,
                const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step]) {
    typedef delta_token<typename CONFIG_T::word_t, typename CONFIG_T::z_t, CONFIG_T::lanes> token;
    static typename delta_tokens<CONFIG_T>::codes::type sent[delta_tokens<CONFIG_T>::words][delta_tokens<CONFIG_T>::codes::count];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    bool first_of_stream = false, done = false;
    unsigned trips = 0;

Word:
    while (!done) {
        #pragma HLS PIPELINE II=1
        #pragma HLS DEPENDENCE variable=sent inter false
        const typename CONFIG_T::word_t word = words.read();
        typename CONFIG_T::z_t z[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=z complete
        const unsigned index = token::take(word, z);
        const bool start = token::is_start(word);
        done = token::is_last(word);
        first_of_stream = first_of_stream || start;
        if (start)
            changes.write(delta_tokens<CONFIG_T>::change::start());
        else if (!done)
            delta_send_word<CONFIG_T>(index, z, first_of_stream, sent, step, threshold, changes);
        trips += start ? 0 : 1;
    }
    changes.write(delta_tokens<CONFIG_T>::change::last());
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(trips).words += trips - 1;
#endif
}

template <class CONFIG_T>
void delta_activation(hls::stream<typename CONFIG_T::word_t> &words, hls::stream<typename CONFIG_T::event_t> &events,
                      const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                      const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step]) {
    #pragma HLS DATAFLOW
    hls::stream<typename delta_tokens<CONFIG_T>::change_t> changes("changes");
    #pragma HLS STREAM variable=changes depth=32
    delta_send<CONFIG_T>(words, changes, step, threshold);
    delta_serialize<CONFIG_T>(changes, events);
}

// The activation at the input of a network: reads whole frames, a beat of `lanes` codes a cycle. CONFIG_T::word_t: of a beat
// {first, codes}, z_t: of an input code. The first beat of a frame that begins a stream has the flag.
template <class CONFIG_T>
void delta_scan_beats(hls::stream<typename CONFIG_T::word_t> &beats,
                      hls::stream<typename delta_tokens<CONFIG_T>::change_t> &changes,
                      const typename CONFIG_T::step_t step[CONFIG_T::n_step],
                      const typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step]) {
    typedef delta_token<typename CONFIG_T::word_t, typename CONFIG_T::z_t, CONFIG_T::lanes> token;
    static typename delta_tokens<CONFIG_T>::codes::type sent[delta_tokens<CONFIG_T>::words][delta_tokens<CONFIG_T>::codes::count];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    typename CONFIG_T::word_t codes = beats.read();
    const bool first_of_stream = token::is_mark(codes);
    if (first_of_stream)
        changes.write(delta_tokens<CONFIG_T>::change::start());

Beat:
    for (unsigned beat = 0; beat < delta_tokens<CONFIG_T>::words; beat++) {
        #pragma HLS PIPELINE II=1
        typename CONFIG_T::z_t z[CONFIG_T::lanes];
        #pragma HLS ARRAY_PARTITION variable=z complete
        if (beat != 0)
            codes = beats.read();
        token::take(codes, z);
        delta_send_word<CONFIG_T>(beat, z, first_of_stream, sent, step, threshold, changes);
    }
    changes.write(delta_tokens<CONFIG_T>::change::last());
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(delta_tokens<CONFIG_T>::words).beats += delta_tokens<CONFIG_T>::words;
#endif
}

} // namespace nnet

#endif
