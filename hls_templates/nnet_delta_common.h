// SPDX-License-Identifier: Apache-2.0
// What the delta kernels share: raw codes of fixed-point values, rounding, the tokens of streams, and the counters of csim.
//
// Tokens:    one packed word each, never a struct; the first field of {...} lies in the high bits.
//              beat   {first, codes}           codes of a frame of the input, lane 0 in the low bits; first: of a stream
//              event  {mark, address, delta}   a code that changed
//              word   {mark, index, values}    `lanes` values of a touched word
//              change {mark, index, deltas}    the same of what changed in it, 0 where nothing did
//            A mark is a token of its own: the end of a frame or, with bit 0 set, the start of a stream before its first
//            frame. It is all that a kernel knows of resets, so kernels may run freely, each with streams only.
// Exactness: everything is integer arithmetic on codes; a type ap_[u]fixed<W,I> carries the code value * 2^(W-I).
// Language:  C++11, and of the ap_ types only what all HLS compilers know: no range() without bounds, no template argument
//            of ap_fixed.
// Verified:  g++ csim against the golden model; what PandA-Bambu 2024.10 makes of small networks and of shipped
//            designs, in Verilator (docs/hls.md). Not run through a vendor's synthesis.
#ifndef NNET_DELTA_COMMON_H_
#define NNET_DELTA_COMMON_H_

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"

namespace nnet {

// Bits of an integer type.
template <class T> struct delta_bits;
template <int W> struct delta_bits<ap_int<W>> { static const unsigned value = W; static const bool sign = true; };
template <int W> struct delta_bits<ap_uint<W>> { static const unsigned value = W; static const bool sign = false; };

// Bits of an unsigned number that is at most `most`.
constexpr unsigned delta_width(unsigned most) { return most < 2 ? 1 : 1 + delta_width(most / 2); }

// Bits of a token, or of a number that is divided, that has to have so many at least. PandA-Bambu loses bit 32 and some more of
// tokens a little wider than that. It divides by a constant with halves of the number: of one of 7 bits, by half of the constant.
constexpr unsigned delta_wide(unsigned bits) {
#ifdef __BAMBU__
    return bits > 32 && bits < 42 ? 42 : bits + bits % 2;
#else
    return bits;
#endif
}

// The code of a fixed-point value, and back; both have as many bits.
template <class code_T, class value_T> code_T delta_code(const value_T &value) {
    #pragma HLS INLINE
    const int high = delta_bits<code_T>::value - 1;
    code_T code;
    code.range(high, 0) = value.range(high, 0);
    return code;
}

template <class value_T, class code_T> value_T delta_value(const code_T &code) {
    #pragma HLS INLINE
    const int high = delta_bits<code_T>::value - 1;
    value_T value;
    value.range(high, 0) = code.range(high, 0);
    return value;
}

// value / 2^shift, ties to even.
template <class wide_T> wide_T delta_round(wide_T value, unsigned shift) {
    #pragma HLS INLINE
    const wide_T floor = value >> shift;
    const wide_T rest = value - wide_T(floor << shift);
    const wide_T half = wide_T(wide_T(1) << shift) >> 1;
    const bool up = rest > half || (rest == half && shift != 0 && floor[0] == 1);
    return floor + wide_T(up ? 1 : 0);
}

typedef unsigned long long delta_raw; // up to 64 raw bits; few types make csim quick to compile

// The lowest `bits` bits of a number.
inline delta_raw delta_low(delta_raw value, unsigned bits) {
    #pragma HLS INLINE
    return bits < 64 ? value & ((1ull << bits) - 1) : value;
}

// Fields hold signed numbers with an offset of half their range, so that none has a sign to extend: not every compiler does
// that rightly with a few bits of a larger word.
template <class value_T> delta_raw delta_offset() {
    #pragma HLS INLINE
    return delta_bits<value_T>::sign ? 1ull << (delta_bits<value_T>::value - 1) : 0;
}

// Adds a field at the low end of a number, and takes it from there.
inline void delta_push(delta_raw &token, unsigned bits, unsigned field) {
    #pragma HLS INLINE
    token = token << bits | field;
}

inline unsigned delta_pop(delta_raw &token, unsigned bits) {
    #pragma HLS INLINE
    const unsigned field = delta_low(token, bits);
    token >>= bits;
    return field;
}

// Some of the values of a token side by side, as many as 64 bits hold.
template <class value_T> delta_raw delta_pack(const value_T values[], unsigned first, unsigned count) {
    #pragma HLS INLINE
    const unsigned bits = delta_bits<value_T>::value;
    delta_raw packed = 0;
    for (unsigned lane = count; lane > 0; lane--) {
        #pragma HLS UNROLL
        packed = packed << bits | (delta_low(values[first + lane - 1].to_uint64(), bits) ^ delta_offset<value_T>());
    }
    return packed;
}

template <class value_T> void delta_unpack(delta_raw packed, value_T values[], unsigned first, unsigned count) {
    #pragma HLS INLINE
    const unsigned bits = delta_bits<value_T>::value;
    for (unsigned lane = 0; lane < count; lane++) {
        #pragma HLS UNROLL
        values[first + lane] = value_T((long long)delta_low(packed >> lane * bits, bits) - (long long)delta_offset<value_T>());
    }
}

// The narrowest of C++'s own types with so many bits, 64 at most.
template <unsigned bits, unsigned size = (bits <= 8 ? 8 : bits <= 16 ? 16 : bits <= 32 ? 32 : 64)> struct delta_unsigned {
    typedef unsigned long long type;
};
template <unsigned bits> struct delta_unsigned<bits, 8> { typedef unsigned char type; };
template <unsigned bits> struct delta_unsigned<bits, 16> { typedef unsigned short type; };
template <unsigned bits> struct delta_unsigned<bits, 32> { typedef unsigned type; };

// A word of a memory, `lanes` values: `count` chunks of `per` values. A compiler that partitions no array gets as many values
// side by side as fit 64 bits, also before they are packed; for one that does, a chunk is a value, and pragmas put them side by
// side. like_T: of another word, whose values these are to lie beside.
template <class value_T, unsigned lanes, class like_T = value_T> struct delta_chunks {
#ifdef __BAMBU__
    static const unsigned bytes = delta_bits<like_T>::value <= 8 ? 1 : delta_bits<like_T>::value <= 16 ? 2 : 4;
    static const unsigned most = delta_bits<like_T>::value > 32 ? 1 : 8 / bytes;
    static const unsigned per = lanes < most ? lanes : most;
    typedef typename delta_unsigned<per * delta_bits<value_T>::value>::type type;
#else
    static const unsigned per = 1;
    typedef value_T type;
#endif
    static const unsigned count = (lanes + per - 1) / per;

    // The values of chunk `c`, and one value of a word.
    static void load(const type &chunk, unsigned c, value_T values[per]) {
        #pragma HLS INLINE
#ifdef __BAMBU__
        delta_unpack(chunk, values, 0, lanes - c * per < per ? lanes - c * per : per);
#else
        values[0] = chunk;
#endif
    }
    static void store(const value_T values[per], unsigned c, type &chunk) {
        #pragma HLS INLINE
#ifdef __BAMBU__
        chunk = type(delta_pack(values, 0, lanes - c * per < per ? lanes - c * per : per));
#else
        chunk = values[0];
#endif
    }
    static value_T get(const type chunks[], unsigned lane) {
        #pragma HLS INLINE
#ifdef __BAMBU__
        // No shift by a remainder times the bits: PandA-Bambu makes 14 * 2 of 7, shifted twice, which Verilator 5.048 to
        // 5.050 do not shift at all.
        value_T values[per];
        delta_unpack(chunks[lane / per], values, 0, per);
        value_T value = values[0];
        for (unsigned at = 1; at < per; at++) {
            #pragma HLS UNROLL
            if (lane % per == at)
                value = values[at];
        }
        return value;
#else
        return chunks[lane];
#endif
    }
};

// Whether the steps of a loop overlap: then what is on its way to a memory has to be forwarded.
#ifdef __BAMBU__
static const bool delta_pipelined = false;
#else
static const bool delta_pipelined = true;
#endif

// The marks of a stream of tokens.
template <class token_T> struct delta_marks {
    static const unsigned mark_bit = delta_bits<token_T>::value - 1;

    static bool bit(const token_T &token, unsigned n) {
        #pragma HLS INLINE
#ifdef __BAMBU__
        return (token.to_uint64() >> n & 1) != 0;
#else
        return token[n];
#endif
    }
    static token_T last() {
        #pragma HLS INLINE
        return token_T(token_T(1) << mark_bit);
    }
    static token_T start() {
        #pragma HLS INLINE
        return token_T(last() | token_T(1));
    }
    static bool is_mark(const token_T &token) {
        #pragma HLS INLINE
        return bit(token, mark_bit);
    }
    static bool is_last(const token_T &token) {
        #pragma HLS INLINE
        return bit(token, mark_bit) && !bit(token, 0);
    }
    static bool is_start(const token_T &token) {
        #pragma HLS INLINE
        return bit(token, mark_bit) && bit(token, 0);
    }
};

// A token of one address and `lanes` values (an event has one), and its fields; narrow: it has at most 64 bits.
template <class token_T, class value_T, unsigned lanes, bool narrow = (delta_bits<token_T>::value <= 64)>
struct delta_token : delta_marks<token_T> {
    static const unsigned value_bits = lanes * delta_bits<value_T>::value;

    static token_T make(delta_raw address, const value_T values[lanes]) {
        #pragma HLS INLINE
        return token_T(address << value_bits | delta_pack(values, 0, lanes));
    }
    static delta_raw take(const token_T &token, value_T values[lanes]) {
        #pragma HLS INLINE
        const delta_raw raw = token.to_uint64();
        delta_unpack(raw, values, 0, lanes);
        return delta_low(raw, delta_marks<token_T>::mark_bit) >> value_bits;
    }
};

template <class token_T, class value_T, unsigned lanes>
struct delta_token<token_T, value_T, lanes, false> : delta_marks<token_T> {
    static const unsigned bits = delta_bits<value_T>::value;
    static const unsigned piece = 64 / bits; // values
    static const unsigned pieces = (lanes + piece - 1) / piece;

    static token_T make(delta_raw address, const value_T values[lanes]) {
        #pragma HLS INLINE
        token_T token = token_T(address);
    Piece:
        for (unsigned i = pieces; i > 0; i--) {
            #pragma HLS UNROLL
            const unsigned first = (i - 1) * piece, count = lanes - first < piece ? lanes - first : piece;
            token = token_T(token << count * bits) | token_T(delta_pack(values, first, count));
        }
        return token;
    }
    static delta_raw take(token_T token, value_T values[lanes]) {
        #pragma HLS INLINE
    Piece:
        for (unsigned i = 0; i < pieces; i++) {
            #pragma HLS UNROLL
            const unsigned first = i * piece, count = lanes - first < piece ? lanes - first : piece;
            delta_unpack(ap_uint<64>(token).to_uint64(), values, first, count);
            token = token_T(token >> count * bits);
        }
        return delta_low(ap_uint<64>(token).to_uint64(), delta_marks<token_T>::mark_bit - lanes * bits);
    }
};

#ifndef __SYNTHESIS__
// Counts of one layer in the frame at work. cycles: trips of the slowest of its processes, which overlap: what II = 1
// implies.
struct delta_counter {
    unsigned long long beats, events, macs, words, cycles;
};

static const unsigned delta_layers = 1024;

inline delta_counter *delta_counters() {
    static delta_counter table[delta_layers];
    return table;
}

template <class CONFIG_T> delta_counter &delta_counted(unsigned long long trips) {
    static_assert(CONFIG_T::index < delta_layers, "more layers than csim has counters for");
    delta_counter &counter = delta_counters()[CONFIG_T::index];
    counter.cycles = trips > counter.cycles ? trips : counter.cycles;
    return counter;
}
#endif

} // namespace nnet

#endif
