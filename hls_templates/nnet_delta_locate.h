// SPDX-License-Identifier: Apache-2.0
// The first process of everything that slides (nnet_delta_conv.h): finds the outputs that an event reaches.
//
// Shapes:    event tokens {mark, address, delta} -> located tokens {mark, {bank_row, bank_column, word, line, rows, columns,
//            lane}, delta}: `rows` x `columns` output positions, the first of which is `word` of its bank, with weights `line`.
//            Events that reach no output are dropped.
// II:        1; a frame takes a cycle for each event, and one for its end.
// State:     none.
// Exactness: integers; the positions are those of codesign.graph.axis.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_LOCATE_H_
#define NNET_DELTA_LOCATE_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_conv_config {
    // index, in_width, n_chan, out_height, out_width, n_filt, filt_height, filt_width, stride_height, stride_width, pad_top,
    // pad_left, pe, lanes, tap_rows, tap_columns: unsigned; lanes: outputs in a word token, which divide pe. window: codes whose maximum leaves, or 1 for a sum.
    // channelwise: an event reaches its own channel only. weighted: bool; else every weight is 1 and every bias 0.
    // repeats: an element is repeated stride_height x stride_width times; else a kernel slides over it.
    // event_t: of an event token, delta_t: of its delta. word_t: of a word token, state_t: of its values, the accumulators.
    // weight_t, bias_t: of the integer parameters.
};

template <class CONFIG_T> struct delta_conv_shape {
    static const unsigned groups = CONFIG_T::n_filt / CONFIG_T::pe; // words of a position
    static const unsigned words = CONFIG_T::out_height * CONFIG_T::out_width * groups;
    static const unsigned banks = CONFIG_T::tap_rows * CONFIG_T::tap_columns;
    static const unsigned bank_columns = (CONFIG_T::out_width + CONFIG_T::tap_columns - 1) / CONFIG_T::tap_columns;
    static const unsigned bank_words = (CONFIG_T::out_height + CONFIG_T::tap_rows - 1) / CONFIG_T::tap_rows * bank_columns * groups;
    static const unsigned values = CONFIG_T::pe * CONFIG_T::window;     // of a word
    static const unsigned pieces = CONFIG_T::pe / CONFIG_T::lanes;      // tokens of a word
    static_assert(CONFIG_T::pe % CONFIG_T::lanes == 0, "the lanes of a token must divide those of a word");
    static const unsigned walked = CONFIG_T::channelwise ? 1 : groups; // words that an event reaches of a position
    static const unsigned most_rows = // that an event reaches
        CONFIG_T::repeats ? CONFIG_T::stride_height : (CONFIG_T::filt_height - 1) / CONFIG_T::stride_height + 1;
    static const unsigned most_columns =
        CONFIG_T::repeats ? CONFIG_T::stride_width : (CONFIG_T::filt_width - 1) / CONFIG_T::stride_width + 1;
    static const unsigned elements = CONFIG_T::filt_height * CONFIG_T::filt_width;
    static const unsigned lines = CONFIG_T::weighted ? (CONFIG_T::channelwise ? 1 : CONFIG_T::n_chan) * groups : 1; // of an element
    static const unsigned line = CONFIG_T::weighted ? CONFIG_T::pe : 1; // weights of one
    static const unsigned weights = CONFIG_T::weighted ? elements * lines * CONFIG_T::pe : 1;
    static const unsigned biases = CONFIG_T::weighted ? CONFIG_T::n_filt : 1;
    static_assert(CONFIG_T::n_filt % CONFIG_T::pe == 0, "pe must divide the number of output channels");
    static_assert(CONFIG_T::tap_rows > 0 && CONFIG_T::tap_columns > 0, "an event reaches at least one position per cycle");
    static_assert(CONFIG_T::window == 1 || CONFIG_T::window == elements, "a maximum is that of a window");
};

// The place that an event reaches, and how it is packed.
template <class CONFIG_T> struct delta_span {
    typedef delta_conv_shape<CONFIG_T> shape;
    static const unsigned bank_row_bits = delta_width(CONFIG_T::tap_rows - 1);
    static const unsigned bank_column_bits = delta_width(CONFIG_T::tap_columns - 1);
    static const unsigned word_bits = delta_width(shape::bank_words - 1);
    static const unsigned line_bits = delta_width(shape::elements * shape::lines - 1);
    static const unsigned row_bits = delta_width(shape::most_rows);
    static const unsigned column_bits = delta_width(shape::most_columns);
    static const unsigned lane_bits = delta_width(CONFIG_T::pe - 1);
    static const unsigned bits = bank_row_bits + bank_column_bits + word_bits + line_bits + row_bits + column_bits + lane_bits;
    static_assert(bits <= 64, "a place in a layer is packed into 64 bits");
    typedef ap_uint<delta_wide(1 + bits + delta_bits<typename CONFIG_T::delta_t>::value)> token_t;
    typedef delta_token<token_t, typename CONFIG_T::delta_t, 1> token;
    unsigned bank_row, bank_column, word, line, rows, columns, lane;

    delta_raw pack() const {
        #pragma HLS INLINE
        delta_raw place = bank_row;
        delta_push(place, bank_column_bits, bank_column);
        delta_push(place, word_bits, word);
        delta_push(place, line_bits, line);
        delta_push(place, row_bits, rows);
        delta_push(place, column_bits, columns);
        delta_push(place, lane_bits, lane);
        return place;
    }

    void unpack(delta_raw place) {
        #pragma HLS INLINE
        lane = delta_pop(place, lane_bits);
        columns = delta_pop(place, column_bits);
        rows = delta_pop(place, row_bits);
        line = delta_pop(place, line_bits);
        word = delta_pop(place, word_bits);
        bank_column = delta_pop(place, bank_column_bits);
        bank_row = delta_pop(place, bank_row_bits);
    }
};

// First output and number of outputs of one axis that the (padded) input position reaches.
inline void delta_reach(unsigned position, unsigned kernel, unsigned stride, unsigned outputs, bool repeats, unsigned &first,
                        unsigned &count) {
    #pragma HLS INLINE
    const unsigned last = position / stride < outputs ? position / stride : outputs - 1;
    first = repeats ? position * stride : position < kernel ? 0 : (position - kernel) / stride + 1;
    count = repeats ? stride : first <= last ? last - first + 1 : 0;
}

template <class CONFIG_T>
void delta_locate(hls::stream<typename CONFIG_T::event_t> &events, hls::stream<typename delta_span<CONFIG_T>::token_t> &located) {
    typedef delta_token<typename CONFIG_T::event_t, typename CONFIG_T::delta_t, 1> token;
    typedef delta_conv_shape<CONFIG_T> shape;
    bool done = false;
    unsigned trips = 0;

Event:
    while (!done) {
        #pragma HLS PIPELINE II=1
        const typename CONFIG_T::event_t event = events.read();
        typename CONFIG_T::delta_t delta[1];
        const unsigned element = token::take(event, delta);
        done = token::is_last(event);
        const unsigned channel = element % CONFIG_T::n_chan;
        const unsigned position = element / CONFIG_T::n_chan;
        const unsigned y = position / CONFIG_T::in_width + CONFIG_T::pad_top;
        const unsigned x = position % CONFIG_T::in_width + CONFIG_T::pad_left;
        unsigned first_y, first_x, rows, columns;
        delta_reach(y, CONFIG_T::filt_height, CONFIG_T::stride_height, CONFIG_T::out_height, CONFIG_T::repeats, first_y, rows);
        delta_reach(x, CONFIG_T::filt_width, CONFIG_T::stride_width, CONFIG_T::out_width, CONFIG_T::repeats, first_x, columns);
        const unsigned tap_y = CONFIG_T::repeats ? 0 : y - first_y * CONFIG_T::stride_height;
        const unsigned tap_x = CONFIG_T::repeats ? 0 : x - first_x * CONFIG_T::stride_width;
        const unsigned group = CONFIG_T::channelwise ? channel / CONFIG_T::pe : 0;
        const unsigned line = !CONFIG_T::weighted ? 0 : CONFIG_T::channelwise ? group : channel * shape::groups;
        delta_span<CONFIG_T> span;
        span.bank_row = first_y % CONFIG_T::tap_rows;
        span.bank_column = first_x % CONFIG_T::tap_columns;
        span.word = (first_y / CONFIG_T::tap_rows * shape::bank_columns + first_x / CONFIG_T::tap_columns) * shape::groups + group;
        span.line = (tap_y * CONFIG_T::filt_width + tap_x) * shape::lines + line;
        span.rows = rows;
        span.columns = columns;
        span.lane = channel % CONFIG_T::pe;
        if (token::is_mark(event))
            located.write(done ? delta_span<CONFIG_T>::token::last() : delta_span<CONFIG_T>::token::start());
        else if (rows != 0 && columns != 0)
            located.write(delta_span<CONFIG_T>::token::make(span.pack(), delta));
        trips += token::is_start(event) ? 0 : 1;
    }
#ifndef __SYNTHESIS__
    delta_counted<CONFIG_T>(trips).events += trips - 1;
#endif
}

} // namespace nnet

#endif
