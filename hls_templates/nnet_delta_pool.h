// SPDX-License-Identifier: Apache-2.0
// DeltaPool: the maximum or the sum of the codes in a window, channel by channel. An average is a sum on a finer lattice.
//
// Shapes:    data[n_in] -> res[n_out], channels last. Padded places hold 0.
// II:        1; a frame takes out_height * out_width * (n_chan / pe) * pool_height * pool_width cycles, `pe` channels each.
// State:     none: every frame is computed from its codes, and the layer that reads the result finds what changed.
// Exactness: equal to codesign.graph.golden on every code.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_POOL_H_
#define NNET_DELTA_POOL_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_pool_config {
    // index, in_height, in_width, n_chan, out_height, out_width, pool_height, pool_width, stride_height, stride_width, pad_top,
    // pad_left, pe: unsigned. maximum: bool. state_t: of an output code.
};

template <class CONFIG_T> struct delta_pool_shape {
    static const unsigned n_in = CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::n_chan;
    static const unsigned groups = CONFIG_T::n_chan / CONFIG_T::pe;
    static const unsigned words = CONFIG_T::out_height * CONFIG_T::out_width * groups;
    static const unsigned taps = CONFIG_T::pool_height * CONFIG_T::pool_width;
    static_assert(CONFIG_T::n_chan % CONFIG_T::pe == 0, "pe must divide the number of channels");
};

template <class data_T, class res_T, class CONFIG_T>
void delta_pool(data_T data[delta_pool_shape<CONFIG_T>::n_in], res_T res[delta_pool_shape<CONFIG_T>::words * CONFIG_T::pe]) {
    typedef delta_pool_shape<CONFIG_T> shape;
    typename CONFIG_T::state_t total[CONFIG_T::pe];
    #pragma HLS ARRAY_PARTITION variable=total complete

Word:
    for (unsigned word = 0; word < shape::words; word++) {
    Tap:
        for (unsigned tap = 0; tap < shape::taps; tap++) {
            #pragma HLS PIPELINE II=1
            const unsigned position = word / shape::groups;
            const unsigned channel = word % shape::groups * CONFIG_T::pe;
            const unsigned y = position / CONFIG_T::out_width * CONFIG_T::stride_height + tap / CONFIG_T::pool_width; // padded
            const unsigned x = position % CONFIG_T::out_width * CONFIG_T::stride_width + tap % CONFIG_T::pool_width;
            const bool inside = y >= CONFIG_T::pad_top && y - CONFIG_T::pad_top < CONFIG_T::in_height &&
                                x >= CONFIG_T::pad_left && x - CONFIG_T::pad_left < CONFIG_T::in_width;
            const unsigned e = ((y - CONFIG_T::pad_top) * CONFIG_T::in_width + x - CONFIG_T::pad_left) * CONFIG_T::n_chan + channel;
        Lane:
            for (unsigned lane = 0; lane < CONFIG_T::pe; lane++) {
                #pragma HLS UNROLL
                typename CONFIG_T::state_t code = 0;
                if (inside)
                    code = delta_code(data[e + lane]);
                if (tap == 0)
                    total[lane] = code;
                else if (!CONFIG_T::maximum)
                    total[lane] += code;
                else if (code > total[lane])
                    total[lane] = code;
                if (tap == shape::taps - 1)
                    res[word * CONFIG_T::pe + lane] = delta_value<res_T>(total[lane]);
            }
        }
    }
#ifndef __SYNTHESIS__
    delta_count<CONFIG_T>(0, 0, 0, 1ull * shape::words * shape::taps);
#endif
}

} // namespace nnet

#endif
