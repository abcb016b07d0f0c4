// SPDX-License-Identifier: Apache-2.0
// The second process of everything that slides (nnet_delta_conv.h): adds what an event changes to every output word that it
// reaches, `pe` channels of tap_rows x tap_columns positions per cycle, and leaves a copy of the words it has touched.
//
// Shapes:    located tokens (nnet_delta_locate.h) -> copy[banks][bank_words][values] of touched words, and for each bank the
//            list of their places; `all` instead of lists in the first frame of a stream.
//            weights[filt_height][filt_width][n_chan][n_filt], channelwise [filt_height][filt_width][n_chan].
// II:        1; a frame takes ceil(rows / tap_rows) * ceil(columns / tap_columns) cycles per reached channel group of an event, and
//            one for its end; the first frame of a stream takes one more per word of a bank. The accumulators are memory, in a
//            bank for each of the positions of a cycle, so that these never meet; words that were changed a few cycles ago are
//            forwarded, so back-to-back updates of one word need no stall. Of the weights there are as many copies as a cycle
//            has positions (a ROM of several ports).
// State:     state[banks][bank_words][values]; a tag for each word, the number of the frame that touched it last, counted up to
//            bank_words: the end of every frame clears the tag of one word, so each is cleared before its number comes again.
//            the start of a stream sets all to bias and 0; nothing relies on the arrays being cleared.
// Exactness: integers that wrap within a bound no partial sum leaves; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_WALK_H_
#define NNET_DELTA_WALK_H_

#include "nnet_delta_locate.h"

namespace nnet {

// CONFIG_T is a delta_conv_config.
template <class CONFIG_T> struct delta_walk_types {
    typedef delta_conv_shape<CONFIG_T> shape;
    static const unsigned recent = 3; // words forwarded: at least the cycles from reading a word to writing it
    typedef delta_chunks<typename CONFIG_T::state_t, shape::values> chunks;
    typedef delta_chunks<typename CONFIG_T::weight_t, shape::line, typename CONFIG_T::state_t> weights_t;
    static const unsigned weights = CONFIG_T::weighted ? shape::weights / shape::line * weights_t::count : 1;
    typedef ap_uint<delta_wide(delta_width(shape::bank_words))> place_t; // of a word in its bank; bank_words: of none. A tag, too
};

// One bank: its words, what is on its way to them, and what it hands over.
template <class CONFIG_T>
void delta_add(bool active, bool adds, unsigned place, unsigned line, unsigned lane_of_event,
               const typename CONFIG_T::delta_t &delta, const typename delta_walk_types<CONFIG_T>::weights_t::type weights[],
               unsigned frame, typename delta_walk_types<CONFIG_T>::chunks::type state[][delta_walk_types<CONFIG_T>::chunks::count],
               typename delta_walk_types<CONFIG_T>::place_t tag[], typename CONFIG_T::state_t recent[][delta_conv_shape<CONFIG_T>::values],
               typename delta_walk_types<CONFIG_T>::place_t recent_tag[], typename delta_walk_types<CONFIG_T>::place_t recent_place[],
               typename delta_walk_types<CONFIG_T>::chunks::type copy[][delta_walk_types<CONFIG_T>::chunks::count],
               typename delta_walk_types<CONFIG_T>::place_t list[], typename delta_walk_types<CONFIG_T>::place_t &touched) {
    #pragma HLS INLINE
    typedef delta_conv_shape<CONFIG_T> shape;
    typedef delta_walk_types<CONFIG_T> types;
    static const unsigned depth = types::recent;
    const unsigned oldest = delta_pipelined ? recent_place[depth - 1].to_uint() : shape::bank_words;
    unsigned last = active ? tag[place].to_uint() : 0;
ForwardTag:
    for (unsigned i = depth; delta_pipelined && i > 0; i--) {
        #pragma HLS UNROLL
        if (recent_place[i - 1].to_uint() == place)
            last = recent_tag[i - 1].to_uint();
    }
Chunk:
    for (unsigned c = 0; c < types::chunks::count; c++) {
        #pragma HLS UNROLL
        typename CONFIG_T::state_t value[types::chunks::per];
        typename CONFIG_T::weight_t weight[types::chunks::per];
        #pragma HLS ARRAY_PARTITION variable=value complete
        #pragma HLS ARRAY_PARTITION variable=weight complete
        if (active)
            types::chunks::load(state[place][c], c, value);
        if (CONFIG_T::weighted && adds)
            types::weights_t::load(weights[line * types::weights_t::count + c], c, weight);
    Value:
        for (unsigned v = 0; v < types::chunks::per && c * types::chunks::per + v < shape::values; v++) {
            #pragma HLS UNROLL
            const unsigned at = c * types::chunks::per + v, lane = at / CONFIG_T::window;
        Forward:
            for (unsigned i = depth; delta_pipelined && i > 0; i--) {
                #pragma HLS UNROLL
                if (recent_place[i - 1].to_uint() == place)
                    value[v] = recent[i - 1][at];
            }
            if (delta_pipelined && oldest != shape::bank_words)
                state[oldest][c] = recent[depth - 1][at];
            const bool own = !CONFIG_T::channelwise || lane == lane_of_event;
            if (adds && own && CONFIG_T::weighted)
                value[v] += delta * weight[v];
            else if (adds && own && (CONFIG_T::window == 1 || at % CONFIG_T::window == line))
                value[v] += delta;
        Shift:
            for (unsigned i = depth - 1; delta_pipelined && i > 0; i--) {
                #pragma HLS UNROLL
                recent[i][at] = recent[i - 1][at];
            }
            if (delta_pipelined)
                recent[0][at] = value[v];
        }
        if (adds)
            types::chunks::store(value, c, copy[place][c]);
        if (!delta_pipelined && adds)
            types::chunks::store(value, c, state[place][c]);
    }
    if (!delta_pipelined && active)
        tag[place] = adds ? frame : 0;
    if (oldest != shape::bank_words)
        tag[oldest] = recent_tag[depth - 1];
    if (adds && last != frame) {
        list[touched.to_uint()] = place;
        touched = touched.to_uint() + 1;
    }
ShiftPlace:
    for (unsigned i = depth; delta_pipelined && i > 0; i--) {
        #pragma HLS UNROLL
        recent_place[i - 1] = i == 1 ? typename types::place_t(active ? place : shape::bank_words) : recent_place[i - 2];
        recent_tag[i - 1] = i == 1 ? typename types::place_t(adds ? frame : 0) : recent_tag[i - 2];
    }
}

// Takes every located event of a frame, one word of each bank per cycle. The positions of a cycle follow each other, so each
// lies in another bank; banks before that of the first position hold those of the next row or column of their own.
template <class CONFIG_T>
void delta_walk(hls::stream<typename delta_span<CONFIG_T>::token_t> &located,
                const typename delta_walk_types<CONFIG_T>::weights_t::type weights[delta_walk_types<CONFIG_T>::weights],
                const typename CONFIG_T::bias_t biases[delta_conv_shape<CONFIG_T>::biases],
                typename delta_walk_types<CONFIG_T>::chunks::type copy[delta_conv_shape<CONFIG_T>::banks]
                                                                      [delta_conv_shape<CONFIG_T>::bank_words]
                                                                      [delta_walk_types<CONFIG_T>::chunks::count],
                typename delta_walk_types<CONFIG_T>::place_t list[delta_conv_shape<CONFIG_T>::banks]
                                                                 [delta_conv_shape<CONFIG_T>::bank_words],
                typename delta_walk_types<CONFIG_T>::place_t touched[delta_conv_shape<CONFIG_T>::banks], bool &all) {
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=CONFIG_T::pe
    #pragma HLS BIND_STORAGE variable=weights type=rom_np
    typedef delta_conv_shape<CONFIG_T> shape;
    typedef delta_walk_types<CONFIG_T> types;
    typedef typename types::place_t place_t;
    static typename types::chunks::type state[shape::banks][shape::bank_words][types::chunks::count];
    static place_t tag[shape::banks][shape::bank_words];
    static typename CONFIG_T::state_t recent[shape::banks][types::recent][shape::values];
    static place_t recent_tag[shape::banks][types::recent], recent_place[shape::banks][types::recent];
    #pragma HLS ARRAY_PARTITION variable=state complete dim=1
    #pragma HLS ARRAY_RESHAPE variable=state complete dim=3
    #pragma HLS ARRAY_PARTITION variable=tag complete dim=1
    #pragma HLS ARRAY_PARTITION variable=recent complete dim=0
    #pragma HLS ARRAY_PARTITION variable=recent_tag complete dim=0
    #pragma HLS ARRAY_PARTITION variable=recent_place complete dim=0
    static place_t number = 0; // of the frame, from 1
    typename delta_span<CONFIG_T>::token_t event = located.read();
    const bool first_of_stream = delta_span<CONFIG_T>::token::is_start(event);
    all = first_of_stream;
    const unsigned frame = first_of_stream || number.to_uint() == shape::bank_words ? 1 : number.to_uint() + 1;
    number = frame;

Bias:
    for (unsigned place = 0; first_of_stream && place < shape::bank_words; place++) {
        #pragma HLS PIPELINE II=1
        for (unsigned bank = 0; bank < shape::banks; bank++) {
            #pragma HLS UNROLL
            for (unsigned c = 0; c < types::chunks::count; c++) {
                #pragma HLS UNROLL
                typename CONFIG_T::state_t bias[types::chunks::per];
                #pragma HLS ARRAY_PARTITION variable=bias complete
                for (unsigned v = 0; v < types::chunks::per; v++) {
                    #pragma HLS UNROLL
                    bias[v] = 0;
                    if (CONFIG_T::weighted && c * types::chunks::per + v < shape::values)
                        bias[v] = biases[place % shape::groups * CONFIG_T::pe + c * types::chunks::per + v];
                }
                types::chunks::store(bias, c, state[bank][place][c]);
                types::chunks::store(bias, c, copy[bank][place][c]);
            }
            tag[bank][place] = 0;
        }
    }
Empty:
    for (unsigned bank = 0; bank < shape::banks; bank++) {
        #pragma HLS UNROLL
        touched[bank] = 0;
        for (unsigned i = 0; delta_pipelined && first_of_stream && i < types::recent; i++) {
            #pragma HLS UNROLL
            recent_place[bank][i] = shape::bank_words;
        }
    }
    unsigned row = 0, column = 0, group = 0, trips = 0, reached = 0;
    bool fresh = true, done = false, unread = first_of_stream;
    delta_span<CONFIG_T> span;
    typename CONFIG_T::delta_t delta[1];
Step:
    while (!done) {
        #pragma HLS PIPELINE II=1
        if (fresh) {
            if (unread)
                event = located.read();
            unread = true;
            done = delta_span<CONFIG_T>::token::is_last(event);
            span.unpack(delta_span<CONFIG_T>::token::take(event, delta));
        }
    BankRow:
        for (unsigned i = 0; i < CONFIG_T::tap_rows; i++) {
            #pragma HLS UNROLL
            const unsigned bank_y = row + (i < span.bank_row ? 1 : 0);
            const unsigned y = bank_y * CONFIG_T::tap_rows + i - span.bank_row;
        BankColumn:
            for (unsigned j = 0; j < CONFIG_T::tap_columns; j++) {
                #pragma HLS UNROLL
                const unsigned bank = i * CONFIG_T::tap_columns + j;
                const unsigned bank_x = column + (j < span.bank_column ? 1 : 0);
                const unsigned x = bank_x * CONFIG_T::tap_columns + j - span.bank_column;
                const bool reaches = !done && y < span.rows && x < span.columns;
                const unsigned word = span.word + (bank_y * shape::bank_columns + bank_x) * shape::groups + group;
                const unsigned back =
                    CONFIG_T::repeats ? 0 : y * CONFIG_T::stride_height * CONFIG_T::filt_width + x * CONFIG_T::stride_width;
                const unsigned place = done ? frame - 1 : word; // the end clears a tag
                const unsigned line = span.line + group - back * shape::lines;
                delta_add<CONFIG_T>(done || reaches, reaches, place, line, span.lane, delta[0], weights, frame,
                                    state[bank], tag[bank], recent[bank], recent_tag[bank], recent_place[bank], copy[bank], list[bank],
                                    touched[bank]);
                reached += reaches ? 1 : 0;
            }
        }
        const bool end_group = group + 1 == shape::walked;
        const bool end_column = end_group && (column + 1) * CONFIG_T::tap_columns >= span.columns;
        fresh = end_column && (row + 1) * CONFIG_T::tap_rows >= span.rows;
        row = fresh ? 0 : end_column ? row + 1 : row;
        column = end_column ? 0 : end_group ? column + 1 : column;
        group = end_group ? 0 : group + 1;
        trips++;
    }
#ifndef __SYNTHESIS__
    const unsigned macs = !CONFIG_T::weighted ? 0 : CONFIG_T::channelwise ? 1 : CONFIG_T::pe;
    delta_counted<CONFIG_T>((first_of_stream ? shape::bank_words : 0) + 1ull * trips).macs += 1ull * reached * macs;
#endif
}

} // namespace nnet

#endif
