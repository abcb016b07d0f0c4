// SPDX-License-Identifier: Apache-2.0
// Everything that slides: convolutions (a_t = a_{t-1} + W * d_t, also depthwise), sums and maxima of windows, upsampling, and
// what a join adds up. Three processes that overlap; the last one sends a frame while the walk is at the next.
//
//   locate  finds the outputs that each event reaches (nnet_delta_locate.h)
//   walk    adds to them, one word of each bank per cycle, and copies what it has touched (nnet_delta_walk.h)
//   sweep   sends the touched words, or the maximum of the codes that are kept for each output of a window
//
// Shapes:    event tokens {mark, address, delta} -> word tokens {mark, index, values[pe]}, channels last; a word is `pe` channels of
//            one position. In the first frame of a stream every word comes, then those that were touched, each once.
// II:        1 in all; a frame takes one cycle per event of locate, those of walk (see there), one per touched word of sweep, and
//            one for its end in each.
// State:     that of the walk; the copy and the lists are handed over once a frame (two of each, as locate to walk is a queue).
// Exactness: equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_CONV_H_
#define NNET_DELTA_CONV_H_

#include "nnet_delta_walk.h"

namespace nnet {

template <class CONFIG_T>
void delta_sweep(const typename delta_walk_types<CONFIG_T>::chunks::type copy[delta_conv_shape<CONFIG_T>::banks]
                                                                             [delta_conv_shape<CONFIG_T>::bank_words]
                                                                             [delta_walk_types<CONFIG_T>::chunks::count],
                 const typename delta_walk_types<CONFIG_T>::place_t list[delta_conv_shape<CONFIG_T>::banks]
                                                                        [delta_conv_shape<CONFIG_T>::bank_words],
                 const typename delta_walk_types<CONFIG_T>::place_t touched[delta_conv_shape<CONFIG_T>::banks], bool all,
                 hls::stream<typename CONFIG_T::word_t> &words) {
    typedef delta_conv_shape<CONFIG_T> shape;
    typedef delta_token<typename CONFIG_T::word_t, typename CONFIG_T::state_t, CONFIG_T::lanes> token;
    typename delta_walk_types<CONFIG_T>::place_t left[shape::banks];
    #pragma HLS ARRAY_PARTITION variable=left complete
Start:
    for (unsigned b = 0; b < shape::banks; b++) {
        #pragma HLS UNROLL
        left[b] = touched[b];
    }
    unsigned raster = 0, trips = 0;
    bool done = false;
    if (all)
        words.write(token::start());
Word:
    while (!done) {
        #pragma HLS PIPELINE II=1
        unsigned bank = 0;
        bool some = false;
    Pick:
        for (unsigned b = shape::banks; b > 0; b--) {
            #pragma HLS UNROLL
            if (left[b - 1].to_uint() != 0) {
                bank = b - 1;
                some = true;
            }
        }
        unsigned y = raster / shape::groups / CONFIG_T::out_width, x = raster / shape::groups % CONFIG_T::out_width;
        unsigned group = raster % shape::groups, place = 0;
        if (all) {
            some = raster < shape::words;
            bank = y % CONFIG_T::tap_rows * CONFIG_T::tap_columns + x % CONFIG_T::tap_columns;
            place = (y / CONFIG_T::tap_rows * shape::bank_columns + x / CONFIG_T::tap_columns) * shape::groups + group;
        } else if (some) {
            const unsigned entry = left[bank].to_uint() - 1;
            left[bank] = entry;
            place = list[bank][entry].to_uint();
            y = place / shape::groups / shape::bank_columns * CONFIG_T::tap_rows + bank / CONFIG_T::tap_columns;
            x = place / shape::groups % shape::bank_columns * CONFIG_T::tap_columns + bank % CONFIG_T::tap_columns;
            group = place % shape::groups;
        }
        const unsigned index = (y * CONFIG_T::out_width + x) * shape::groups + group;
    Piece:
        for (unsigned piece = 0; piece < shape::pieces && some; piece++) {
            typename CONFIG_T::state_t most[CONFIG_T::lanes];
            #pragma HLS ARRAY_PARTITION variable=most complete
        Lane:
            for (unsigned v = 0; v < CONFIG_T::lanes * CONFIG_T::window; v++) {
                #pragma HLS UNROLL
                const unsigned at = piece * CONFIG_T::lanes * CONFIG_T::window + v;
                const typename CONFIG_T::state_t value = delta_walk_types<CONFIG_T>::chunks::get(copy[bank][place], at);
                if (v % CONFIG_T::window == 0 || value > most[v / CONFIG_T::window])
                    most[v / CONFIG_T::window] = value;
            }
            words.write(token::make(index * shape::pieces + piece, most));
        }
        if (!some)
            words.write(token::last());
        done = !some;
        raster++;
        trips += some ? shape::pieces : 1;
    }
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(trips).words += (trips - 1) / shape::pieces;
#endif
}

// The words that a frame's located events touch. A compiler without memories between processes runs one after the other.
template <class CONFIG_T>
void delta_words(hls::stream<typename delta_span<CONFIG_T>::token_t> &located, hls::stream<typename CONFIG_T::word_t> &words,
                 const typename delta_walk_types<CONFIG_T>::weights_t::type weights[delta_walk_types<CONFIG_T>::weights],
                 const typename CONFIG_T::bias_t biases[delta_conv_shape<CONFIG_T>::biases]) {
    #pragma HLS DATAFLOW
    typedef delta_conv_shape<CONFIG_T> shape;
    typename delta_walk_types<CONFIG_T>::chunks::type copy[shape::banks][shape::bank_words][delta_walk_types<CONFIG_T>::chunks::count];
    typename delta_walk_types<CONFIG_T>::place_t list[shape::banks][shape::bank_words];
    typename delta_walk_types<CONFIG_T>::place_t touched[shape::banks];
    #pragma HLS ARRAY_PARTITION variable=copy complete dim=1
    #pragma HLS ARRAY_RESHAPE variable=copy complete dim=3
    #pragma HLS ARRAY_PARTITION variable=list complete dim=1
    #pragma HLS ARRAY_PARTITION variable=touched complete
    bool all;
    delta_walk<CONFIG_T>(located, weights, biases, copy, list, touched, all);
    delta_sweep<CONFIG_T>(copy, list, touched, all, words);
}

// The same where every weight is 1 and every bias 0.
template <class CONFIG_T>
void delta_sums(hls::stream<typename delta_span<CONFIG_T>::token_t> &located, hls::stream<typename CONFIG_T::word_t> &words) {
    #pragma HLS INLINE
    static const typename delta_walk_types<CONFIG_T>::weights_t::type one[1] = {1};
    static const typename CONFIG_T::bias_t none[1] = {0};
    delta_words<CONFIG_T>(located, words, one, none);
}

template <class CONFIG_T>
void delta_conv(hls::stream<typename CONFIG_T::event_t> &events, hls::stream<typename CONFIG_T::word_t> &words,
                const typename delta_walk_types<CONFIG_T>::weights_t::type weights[delta_walk_types<CONFIG_T>::weights],
                const typename CONFIG_T::bias_t biases[delta_conv_shape<CONFIG_T>::biases]) {
    #pragma HLS DATAFLOW
    hls::stream<typename delta_span<CONFIG_T>::token_t> located("located");
    #pragma HLS STREAM variable=located depth=32
    delta_locate<CONFIG_T>(events, located);
    delta_words<CONFIG_T>(located, words, weights, biases);
}

template <class CONFIG_T>
void delta_slide(hls::stream<typename CONFIG_T::event_t> &events, hls::stream<typename CONFIG_T::word_t> &words) {
    #pragma HLS DATAFLOW
    hls::stream<typename delta_span<CONFIG_T>::token_t> located("located");
    #pragma HLS STREAM variable=located depth=32
    delta_locate<CONFIG_T>(events, located);
    delta_sums<CONFIG_T>(located, words);
}

} // namespace nnet

#endif
