// SPDX-License-Identifier: Apache-2.0
// DeltaUpsample: every code repeated along both axes (nearest neighbour).
//
// Shapes:    data[n_in] -> res[n_out], channels last.
// II:        1; a frame takes n_out / pe cycles.
// State:     none: the layer that reads the result finds what changed.
// Exactness: codes are copied; equal to codesign.graph.golden.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_UPSAMPLE_H_
#define NNET_DELTA_UPSAMPLE_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_upsample_config {
    // index, in_height, in_width, n_chan, height_factor, width_factor, pe: unsigned.
};

template <class CONFIG_T> struct delta_upsample_shape {
    static const unsigned n_in = CONFIG_T::in_height * CONFIG_T::in_width * CONFIG_T::n_chan;
    static const unsigned out_width = CONFIG_T::in_width * CONFIG_T::width_factor;
    static const unsigned groups = CONFIG_T::n_chan / CONFIG_T::pe;
    static const unsigned words = CONFIG_T::in_height * CONFIG_T::height_factor * out_width * groups;
    static_assert(CONFIG_T::n_chan % CONFIG_T::pe == 0, "pe must divide the number of channels");
};

template <class data_T, class res_T, class CONFIG_T>
void delta_upsample(data_T data[delta_upsample_shape<CONFIG_T>::n_in],
                    res_T res[delta_upsample_shape<CONFIG_T>::words * CONFIG_T::pe]) {
    typedef delta_upsample_shape<CONFIG_T> shape;

Word:
    for (unsigned word = 0; word < shape::words; word++) {
        #pragma HLS PIPELINE II=1
        const unsigned position = word / shape::groups;
        const unsigned y = position / shape::out_width / CONFIG_T::height_factor;
        const unsigned x = position % shape::out_width / CONFIG_T::width_factor;
        const unsigned e = (y * CONFIG_T::in_width + x) * CONFIG_T::n_chan + word % shape::groups * CONFIG_T::pe;
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::pe; lane++) {
            #pragma HLS UNROLL
            res[word * CONFIG_T::pe + lane] = delta_value<res_T>(delta_code(data[e + lane]));
        }
    }
#ifndef __SYNTHESIS__
    delta_count<CONFIG_T>(0, 0, 0, shape::words);
#endif
}

} // namespace nnet

#endif
