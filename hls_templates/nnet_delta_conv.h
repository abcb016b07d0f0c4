// SPDX-License-Identifier: Apache-2.0
// DeltaConv: a_t = a_{t-1} + W * d_t of a convolution, as three processes that overlap on consecutive frames.
//
//   scan    finds the codes that changed (nnet_delta_scan.h)
//   locate  finds the outputs that each of them reaches; drops those that reach none
//   walk    loops over the reached outputs of the events only, `pe` channels of tap_rows x tap_columns positions per
//           cycle; then emits the frame
//
// Shapes:    data[n_in] -> res[words * pe], channels last; a word is `pe` channels of one position.
//            weights[filt_height][filt_width][n_chan][n_filt], depthwise [filt_height][filt_width][n_chan].
// II:        1 in all. A frame takes ceil(n_in / lanes) cycles of scan and one per event of locate; of walk
//            ceil(rows / tap_rows) * ceil(columns / tap_columns) per reached channel group of an event, and one per output
//            word. The accumulators are memory, in a bank for each of the positions of a cycle, so that these never meet;
//            words that were changed a few cycles ago are forwarded, so back-to-back updates of one word need no stall.
//            Of the weights there are as many copies as a cycle has positions (a ROM of several ports).
// State:     that of the scan, and state[tap_rows][tap_columns][bank_words][pe]. reset (or power-up) reads them as 0 and
//            bias for one frame; nothing relies on the arrays being cleared.
// Exactness: integers that wrap within a bound no partial sum leaves; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_CONV_H_
#define NNET_DELTA_CONV_H_

#include "nnet_delta_scan.h"

namespace nnet {

struct delta_conv_config {
    // What the scan reads; in_width, n_chan, out_height, out_width, n_filt, filt_height, filt_width, stride_height,
    // stride_width, pad_top, pad_left, pe, tap_rows, tap_columns: unsigned. depthwise: bool. state_t: of an accumulator.
    // weight_t, bias_t: of the integer parameters.
};

template <class CONFIG_T> struct delta_conv_shape {
    static const unsigned groups = CONFIG_T::n_filt / CONFIG_T::pe; // words of a position
    static const unsigned words = CONFIG_T::out_height * CONFIG_T::out_width * groups;
    static const unsigned bank_columns = (CONFIG_T::out_width + CONFIG_T::tap_columns - 1) / CONFIG_T::tap_columns;
    static const unsigned bank_words = (CONFIG_T::out_height + CONFIG_T::tap_rows - 1) / CONFIG_T::tap_rows * bank_columns * groups;
    typedef typename CONFIG_T::state_t bank_t[bank_words][CONFIG_T::pe];
    static const unsigned walked = CONFIG_T::depthwise ? 1 : groups;                            // of those, what an event reaches
    static const unsigned tap = (CONFIG_T::depthwise ? 1 : CONFIG_T::n_chan) * groups;          // weight words of a kernel element
    static const unsigned weights = CONFIG_T::filt_height * CONFIG_T::filt_width * tap * CONFIG_T::pe;
    static const unsigned recent = 3; // words forwarded: at least the cycles from reading a word to writing it
    static_assert(CONFIG_T::n_filt % CONFIG_T::pe == 0, "pe must divide the number of output channels");
    static_assert(CONFIG_T::tap_rows > 0 && CONFIG_T::tap_columns > 0, "an event reaches at least one position per cycle");
};

// The outputs that one event reaches: `rows` x `columns` positions; the first is `word` of its bank, with `weight`.
template <class CONFIG_T> struct delta_span {
    unsigned bank_row, bank_column, word, weight, rows, columns, lane;
    typename CONFIG_T::delta_t delta;
};

// First output and number of outputs of one axis that the (padded) input position reaches.
inline void delta_reach(unsigned position, unsigned kernel, unsigned stride, unsigned outputs, unsigned &first, unsigned &count) {
    #pragma HLS INLINE
    const unsigned last = position / stride < outputs ? position / stride : outputs - 1;
    first = position < kernel ? 0 : (position - kernel) / stride + 1;
    count = first <= last ? last - first + 1 : 0;
}

template <class CONFIG_T>
void delta_locate(const typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats],
                  const typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats], unsigned events,
                  delta_span<CONFIG_T> spans[CONFIG_T::n_in], unsigned &located) {
    typedef delta_conv_shape<CONFIG_T> shape;
    unsigned found = 0;
Event:
    for (unsigned e = 0; e < events; e++) {
        #pragma HLS PIPELINE II=1
        const unsigned element = address[e % CONFIG_T::lanes][e / CONFIG_T::lanes];
        const unsigned channel = element % CONFIG_T::n_chan;
        const unsigned position = element / CONFIG_T::n_chan;
        const unsigned y = position / CONFIG_T::in_width + CONFIG_T::pad_top;
        const unsigned x = position % CONFIG_T::in_width + CONFIG_T::pad_left;
        unsigned first_y, first_x;
        delta_span<CONFIG_T> span;
        delta_reach(y, CONFIG_T::filt_height, CONFIG_T::stride_height, CONFIG_T::out_height, first_y, span.rows);
        delta_reach(x, CONFIG_T::filt_width, CONFIG_T::stride_width, CONFIG_T::out_width, first_x, span.columns);
        span.bank_row = first_y % CONFIG_T::tap_rows;
        span.bank_column = first_x % CONFIG_T::tap_columns;
        span.word = (first_y / CONFIG_T::tap_rows * shape::bank_columns + first_x / CONFIG_T::tap_columns) * shape::groups;
        span.weight = ((y - first_y * CONFIG_T::stride_height) * CONFIG_T::filt_width + x - first_x * CONFIG_T::stride_width) * shape::tap;
        span.lane = channel % CONFIG_T::pe;
        span.delta = delta[e % CONFIG_T::lanes][e / CONFIG_T::lanes];
        if (CONFIG_T::depthwise) {
            span.word += channel / CONFIG_T::pe;
            span.weight += channel / CONFIG_T::pe;
        } else {
            span.weight += channel * shape::groups;
        }
        if (span.rows != 0 && span.columns != 0)
            spans[found++] = span;
    }
    located = found;
#ifndef __SYNTHESIS__
    delta_count<CONFIG_T>(delta_scan_shape<CONFIG_T>::beats, events, 0, delta_scan_shape<CONFIG_T>::beats + events);
#endif
}

// One cycle of one bank: adds to `word` (bank_words: to none) and stores the word that has waited in `recent`.
template <class CONFIG_T>
void delta_add(unsigned word, unsigned weight, const delta_span<CONFIG_T> &span,
               typename CONFIG_T::weight_t weights[delta_conv_shape<CONFIG_T>::weights],
               typename CONFIG_T::state_t state[][CONFIG_T::pe], typename CONFIG_T::state_t recent[][CONFIG_T::pe],
               unsigned recent_word[]) {
    #pragma HLS INLINE
    typedef delta_conv_shape<CONFIG_T> shape;
    const bool adds = word != shape::bank_words;
    const unsigned oldest = recent_word[shape::recent - 1];
Lane:
    for (unsigned lane = 0; lane < CONFIG_T::pe; lane++) {
        #pragma HLS UNROLL
        typename CONFIG_T::state_t value = adds ? state[word][lane] : typename CONFIG_T::state_t(0);
    Forward:
        for (unsigned i = shape::recent; i > 0; i--) {
            #pragma HLS UNROLL
            if (recent_word[i - 1] == word)
                value = recent[i - 1][lane];
        }
        if (oldest != shape::bank_words)
            state[oldest][lane] = recent[shape::recent - 1][lane];
        if (adds && (!CONFIG_T::depthwise || lane == span.lane))
            value += span.delta * weights[weight * CONFIG_T::pe + lane];
    Shift:
        for (unsigned i = shape::recent - 1; i > 0; i--) {
            #pragma HLS UNROLL
            recent[i][lane] = recent[i - 1][lane];
        }
        recent[0][lane] = value;
    }
ShiftWord:
    for (unsigned i = shape::recent - 1; i > 0; i--) {
        #pragma HLS UNROLL
        recent_word[i] = recent_word[i - 1];
    }
    recent_word[0] = word;
}

// Adds every span to the state, one word of each bank per cycle. The positions of a cycle follow each other, so each lies in
// another bank; banks before that of the first position hold those of the next row or column of their own.
template <class CONFIG_T>
void delta_walk(const delta_span<CONFIG_T> spans[CONFIG_T::n_in], unsigned located,
                typename CONFIG_T::weight_t weights[delta_conv_shape<CONFIG_T>::weights],
                typename CONFIG_T::bias_t biases[CONFIG_T::n_filt], bool first_of_stream,
                typename delta_conv_shape<CONFIG_T>::bank_t state[][CONFIG_T::tap_columns]) {
    #pragma HLS INLINE
    typedef delta_conv_shape<CONFIG_T> shape;
    typename CONFIG_T::state_t recent[CONFIG_T::tap_rows][CONFIG_T::tap_columns][shape::recent][CONFIG_T::pe];
    unsigned recent_word[CONFIG_T::tap_rows][CONFIG_T::tap_columns][shape::recent];
    #pragma HLS ARRAY_PARTITION variable=recent complete dim=0
    #pragma HLS ARRAY_PARTITION variable=recent_word complete dim=0
Bias:
    for (unsigned word = 0; first_of_stream && word < shape::bank_words; word++) {
        #pragma HLS PIPELINE II=1
        for (unsigned i = 0; i < CONFIG_T::tap_rows * CONFIG_T::tap_columns * CONFIG_T::pe; i++) {
            #pragma HLS UNROLL
            const unsigned bank = i / CONFIG_T::pe, lane = i % CONFIG_T::pe;
            state[bank / CONFIG_T::tap_columns][bank % CONFIG_T::tap_columns][word][lane] =
                biases[word % shape::groups * CONFIG_T::pe + lane];
        }
    }
Empty:
    for (unsigned i = 0; i < CONFIG_T::tap_rows * CONFIG_T::tap_columns * shape::recent; i++) {
        #pragma HLS UNROLL
        const unsigned bank = i / shape::recent;
        recent_word[bank / CONFIG_T::tap_columns][bank % CONFIG_T::tap_columns][i % shape::recent] = shape::bank_words; // no word
    }
    unsigned n = 0, row = 0, column = 0, group = 0, steps = 0, reached = 0;
    delta_span<CONFIG_T> span = spans[0];
Step:
    while (n < located + shape::recent) { // the last steps only store
        #pragma HLS PIPELINE II=1
        const bool adds = n < located;
        const delta_span<CONFIG_T> next = spans[n + 1 < located ? n + 1 : 0]; // read ahead, so that n waits for no memory
    BankRow:
        for (unsigned i = 0; i < CONFIG_T::tap_rows; i++) {
            #pragma HLS UNROLL
            const unsigned bank_y = row + (i < span.bank_row ? 1 : 0);
            const unsigned y = bank_y * CONFIG_T::tap_rows + i - span.bank_row;
        BankColumn:
            for (unsigned j = 0; j < CONFIG_T::tap_columns; j++) {
                #pragma HLS UNROLL
                const unsigned bank_x = column + (j < span.bank_column ? 1 : 0);
                const unsigned x = bank_x * CONFIG_T::tap_columns + j - span.bank_column;
                const bool reaches = adds && y < span.rows && x < span.columns;
                const unsigned word = span.word + (bank_y * shape::bank_columns + bank_x) * shape::groups + group;
                const unsigned taps_back = y * CONFIG_T::stride_height * CONFIG_T::filt_width + x * CONFIG_T::stride_width;
                delta_add<CONFIG_T>(reaches ? word : shape::bank_words, span.weight + group - taps_back * shape::tap, span, weights,
                                    state[i][j], recent[i][j], recent_word[i][j]);
                reached += reaches ? 1 : 0;
            }
        }
        steps += adds ? 1 : 0;
        const bool end_group = !adds || group + 1 == shape::walked;
        const bool end_column = end_group && (!adds || (column + 1) * CONFIG_T::tap_columns >= span.columns);
        const bool end_row = end_column && (!adds || (row + 1) * CONFIG_T::tap_rows >= span.rows);
        row = end_row ? 0 : end_column ? row + 1 : row;
        column = end_column ? 0 : end_group ? column + 1 : column;
        group = end_group ? 0 : group + 1;
        if (end_row) {
            span = next;
            n++;
        }
    }
#ifndef __SYNTHESIS__
    const unsigned long long macs = 1ull * reached * (CONFIG_T::depthwise ? 1 : CONFIG_T::pe);
    delta_count<CONFIG_T>(0, 0, macs, (first_of_stream ? shape::bank_words : 0) + 1ull * steps + shape::recent + shape::words);
#endif
}

// One accumulator of a word of the frame.
template <class CONFIG_T>
typename CONFIG_T::state_t delta_total(typename delta_conv_shape<CONFIG_T>::bank_t state[][CONFIG_T::tap_columns], unsigned word,
                                       unsigned lane) {
    #pragma HLS INLINE
    typedef delta_conv_shape<CONFIG_T> shape;
    const unsigned y = word / shape::groups / CONFIG_T::out_width;
    const unsigned x = word / shape::groups % CONFIG_T::out_width;
    const unsigned place = y / CONFIG_T::tap_rows * shape::bank_columns + x / CONFIG_T::tap_columns;
    return state[y % CONFIG_T::tap_rows][x % CONFIG_T::tap_columns][place * shape::groups + word % shape::groups][lane];
}

template <class CONFIG_T, class res_T>
void delta_convolve(const delta_span<CONFIG_T> spans[CONFIG_T::n_in], unsigned located,
                    typename CONFIG_T::weight_t weights[delta_conv_shape<CONFIG_T>::weights],
                    typename CONFIG_T::bias_t biases[CONFIG_T::n_filt], bool reset,
                    res_T res[delta_conv_shape<CONFIG_T>::words * CONFIG_T::pe]) {
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=CONFIG_T::pe
    #pragma HLS BIND_STORAGE variable=weights type=rom_np
    static typename delta_conv_shape<CONFIG_T>::bank_t state[CONFIG_T::tap_rows][CONFIG_T::tap_columns];
    #pragma HLS ARRAY_PARTITION variable=state complete dim=1
    #pragma HLS ARRAY_PARTITION variable=state complete dim=2
    #pragma HLS ARRAY_RESHAPE variable=state complete dim=4
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;
    delta_walk<CONFIG_T>(spans, located, weights, biases, first_of_stream, state);
Emit:
    for (unsigned word = 0; word < delta_conv_shape<CONFIG_T>::words; word++) {
        #pragma HLS PIPELINE II=1
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::pe; lane++) {
            #pragma HLS UNROLL
            res[word * CONFIG_T::pe + lane] = delta_value<res_T>(delta_total<CONFIG_T>(state, word, lane));
        }
    }
}

template <class data_T, class res_T, class CONFIG_T>
void delta_conv(data_T data[CONFIG_T::n_in], res_T res[delta_conv_shape<CONFIG_T>::words * CONFIG_T::pe],
                typename CONFIG_T::weight_t weights[delta_conv_shape<CONFIG_T>::weights],
                typename CONFIG_T::bias_t biases[CONFIG_T::n_filt], bool reset) {
    #pragma HLS DATAFLOW
    typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats];
    typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats];
    delta_span<CONFIG_T> spans[CONFIG_T::n_in];
    #pragma HLS ARRAY_PARTITION variable=address complete dim=1
    #pragma HLS ARRAY_PARTITION variable=delta complete dim=1
    unsigned events, located;
    delta_scan<data_T, CONFIG_T>(data, reset, address, delta, events);
    delta_locate<CONFIG_T>(address, delta, events, spans, located);
    delta_convolve<CONFIG_T, res_T>(spans, located, weights, biases, reset, res);
}

} // namespace nnet

#endif
