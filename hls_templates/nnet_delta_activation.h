// SPDX-License-Identifier: Apache-2.0
// DeltaActivation: relu or identity, step, clip and hold on integer codes.
//
//   q(z)  = clip(round_half_even(f(z) / 2^(shift + k)) * 2^k, lo, hi)
//   r_t   = q(z_t) if |f(z_t) - r_{t-1} * 2^shift| >= threshold else r_{t-1}        (with hold)
//   r_t   = q(z_t)                                                                  (without)
//
// Shapes:    data[n] -> res[n]; element e belongs to channel e % n_step.
// II:        1; a frame takes ceil(n / lanes) cycles.
// State:     with hold, sent[n], what was last sent. reset (or power-up) reads it as 0 for one frame; without hold none.
// Exactness: equal to codesign.graph.golden on every code.
// Verified:  g++ csim against the golden model. Not run through a vendor's synthesis.
#ifndef NNET_DELTA_ACTIVATION_H_
#define NNET_DELTA_ACTIVATION_H_

#include "nnet_delta_common.h"

namespace nnet {

struct delta_activation_config {
    // index, n, lanes, n_step: unsigned. widen, shift: unsigned bits. lo, hi: codes. relu, hold: bool.
    // wide_t: ap_int of every intermediate. code_t: of a code. step_t, threshold_t: of the parameters.
};

// The code to send for one input code z; last is what was last sent.
template <class CONFIG_T, class z_T>
typename CONFIG_T::code_t delta_quantise(z_T z, typename CONFIG_T::code_t last, typename CONFIG_T::step_t k,
                                         typename CONFIG_T::threshold_t threshold) {
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
    const unsigned step = k;
    const wide_t q = delta_round<wide_t>(f, CONFIG_T::shift + step) << step;
    if (q < wide_t(CONFIG_T::lo))
        return code_t(CONFIG_T::lo);
    if (q > wide_t(CONFIG_T::hi))
        return code_t(CONFIG_T::hi);
    return code_t(q);
}

template <class data_T, class res_T, class CONFIG_T>
void delta_activation(data_T data[CONFIG_T::n], res_T res[CONFIG_T::n], typename CONFIG_T::step_t step[CONFIG_T::n_step],
                      typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step], bool reset) {
    static const unsigned beats = (CONFIG_T::n + CONFIG_T::lanes - 1) / CONFIG_T::lanes;
    static typename CONFIG_T::code_t sent[CONFIG_T::hold ? CONFIG_T::n : 1];
    #pragma HLS ARRAY_RESHAPE variable=sent cyclic factor=CONFIG_T::lanes
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;

Beat:
    for (unsigned beat = 0; beat < beats; beat++) {
        #pragma HLS PIPELINE II=1
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
            #pragma HLS UNROLL
            const unsigned e = beat * CONFIG_T::lanes + lane;
            if (e < CONFIG_T::n) {
                const unsigned slot = CONFIG_T::hold ? e : 0;
                const typename CONFIG_T::code_t last = first_of_stream ? typename CONFIG_T::code_t(0) : sent[slot];
                const unsigned c = e % CONFIG_T::n_step;
                const typename CONFIG_T::code_t code = delta_quantise<CONFIG_T>(delta_code(data[e]), last, step[c], threshold[c]);
                if (CONFIG_T::hold)
                    sent[slot] = code;
                res[e] = delta_value<res_T>(code);
            }
        }
    }
#ifndef __SYNTHESIS__
    delta_count<CONFIG_T>(beats, 0, 0, beats);
#endif
}

} // namespace nnet

#endif
