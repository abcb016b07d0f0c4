// SPDX-License-Identifier: Apache-2.0
// io_stream forms of the delta kernels: a packet is a nnet::array of codes, elements in raster order.
//
// Shapes:    n / packet size packets in. DeltaActivation: packets of the same size out. DeltaDense: one packet of n_out out.
//            DeltaConv: a packet of n_filt channels for each output position. DeltaPool, DeltaUpsample, DeltaJoin: packets of
//            any size in, one of n_chan channels for each output position out. DeltaCopy: the packets it reads, twice.
// II, State, Exactness, Verified: as in nnet_delta_activation.h, nnet_delta_scan.h, nnet_delta_dense.h, nnet_delta_conv.h,
//            nnet_delta_pool.h, nnet_delta_upsample.h and nnet_delta_join.h.
// Branches:  a stream holds a frame (hls4ml's depth), and so does what reads it; a short branch never blocks a long one.
#ifndef NNET_DELTA_STREAM_H_
#define NNET_DELTA_STREAM_H_

#include "hls_stream.h"
#include "nnet_delta_activation.h"
#include "nnet_delta_conv.h"
#include "nnet_delta_dense.h"
#include "nnet_delta_join.h"
#include "nnet_delta_pool.h"
#include "nnet_delta_upsample.h"

namespace nnet {

template <class data_T, class res_T, class CONFIG_T>
void delta_activation(hls::stream<data_T> &data, hls::stream<res_T> &res, typename CONFIG_T::step_t step[CONFIG_T::n_step],
                      typename CONFIG_T::threshold_t threshold[CONFIG_T::n_step], bool reset) {
    static const unsigned packets = CONFIG_T::n / data_T::size;
    static_assert(CONFIG_T::n % data_T::size == 0, "a frame must be whole packets");
    static_assert(unsigned(data_T::size) == unsigned(res_T::size), "packets keep their size");
    static typename CONFIG_T::code_t sent[CONFIG_T::hold ? packets : 1][data_T::size];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;

Packet:
    for (unsigned p = 0; p < packets; p++) {
        #pragma HLS PIPELINE II=1
        const data_T in = data.read();
        res_T out;
    Lane:
        for (unsigned lane = 0; lane < data_T::size; lane++) {
            #pragma HLS UNROLL
            const unsigned slot = CONFIG_T::hold ? p : 0;
            const typename CONFIG_T::code_t last = first_of_stream ? typename CONFIG_T::code_t(0) : sent[slot][lane];
            const unsigned c = (p * data_T::size + lane) % CONFIG_T::n_step;
            const typename CONFIG_T::code_t code = delta_quantise<CONFIG_T>(delta_code(in[lane]), last, step[c], threshold[c]);
            if (CONFIG_T::hold)
                sent[slot][lane] = code;
            out[lane] = delta_value<typename res_T::value_type>(code);
        }
        res.write(out);
    }
#ifndef __SYNTHESIS__
    delta_count<CONFIG_T>(packets, 0, 0, packets);
#endif
}

template <class data_T, class CONFIG_T>
void delta_scan(hls::stream<data_T> &data, bool reset,
                typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats],
                typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats], unsigned &events) {
    static const unsigned slices = data_T::size / CONFIG_T::lanes;
    static_assert(data_T::size % CONFIG_T::lanes == 0, "lanes must divide a packet");
    static_assert(CONFIG_T::n_in % data_T::size == 0, "a frame must be whole packets");
    static typename CONFIG_T::code_t sent[delta_scan_shape<CONFIG_T>::beats][CONFIG_T::lanes];
    #pragma HLS ARRAY_RESHAPE variable=sent complete dim=2
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;
    unsigned found = 0;

Packet:
    for (unsigned p = 0; p < CONFIG_T::n_in / data_T::size; p++) {
        const data_T in = data.read();
    Slice:
        for (unsigned slice = 0; slice < slices; slice++) {
            #pragma HLS PIPELINE II=1
            typename CONFIG_T::code_t now[CONFIG_T::lanes];
            #pragma HLS ARRAY_PARTITION variable=now complete
        Lane:
            for (unsigned lane = 0; lane < CONFIG_T::lanes; lane++) {
                #pragma HLS UNROLL
                now[lane] = delta_code(in[slice * CONFIG_T::lanes + lane]);
            }
            delta_scan_beat<CONFIG_T>(now, p * slices + slice, first_of_stream, sent, address, delta, found);
        }
    }
    events = found;
}

template <class CONFIG_T, class res_T>
void delta_result(const typename CONFIG_T::state_t total[CONFIG_T::n_out], hls::stream<res_T> &res) {
    static_assert(unsigned(res_T::size) == CONFIG_T::n_out, "the outputs of a frame are one packet");
    res_T out;
Output:
    for (unsigned o = 0; o < CONFIG_T::n_out; o++) {
        #pragma HLS UNROLL
        out[o] = delta_value<typename res_T::value_type>(total[o]);
    }
    res.write(out);
}

template <class data_T, class res_T, class CONFIG_T>
void delta_dense(hls::stream<data_T> &data, hls::stream<res_T> &res,
                 typename CONFIG_T::weight_t weights[CONFIG_T::n_in * CONFIG_T::n_out],
                 typename CONFIG_T::bias_t biases[CONFIG_T::n_out], bool reset) {
    #pragma HLS DATAFLOW
    typename CONFIG_T::address_t address[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats];
    typename CONFIG_T::delta_t delta[CONFIG_T::lanes][delta_scan_shape<CONFIG_T>::beats];
    typename CONFIG_T::state_t total[CONFIG_T::n_out];
    #pragma HLS ARRAY_PARTITION variable=address complete dim=1
    #pragma HLS ARRAY_PARTITION variable=delta complete dim=1
    #pragma HLS ARRAY_PARTITION variable=total complete
    unsigned events;
    delta_scan<data_T, CONFIG_T>(data, reset, address, delta, events);
    delta_accumulate<CONFIG_T>(address, delta, events, weights, biases, reset, total);
    delta_result<CONFIG_T, res_T>(total, res);
}

template <class CONFIG_T, class res_T>
void delta_convolve(const delta_span<CONFIG_T> spans[CONFIG_T::n_in], unsigned located,
                    typename CONFIG_T::weight_t weights[delta_conv_shape<CONFIG_T>::weights],
                    typename CONFIG_T::bias_t biases[CONFIG_T::n_filt], bool reset, hls::stream<res_T> &res) {
    #pragma HLS ARRAY_RESHAPE variable=weights cyclic factor=CONFIG_T::pe
    #pragma HLS BIND_STORAGE variable=weights type=rom_np
    static_assert(unsigned(res_T::size) == CONFIG_T::n_filt, "the channels of a position are one packet");
    static const unsigned groups = delta_conv_shape<CONFIG_T>::groups;
    static typename delta_conv_shape<CONFIG_T>::bank_t state[CONFIG_T::tap_rows][CONFIG_T::tap_columns];
    #pragma HLS ARRAY_PARTITION variable=state complete dim=1
    #pragma HLS ARRAY_PARTITION variable=state complete dim=2
    #pragma HLS ARRAY_RESHAPE variable=state complete dim=4
    static bool running = false;
    const bool first_of_stream = reset || !running;
    running = true;
    delta_walk<CONFIG_T>(spans, located, weights, biases, first_of_stream, state);
    res_T out;
Emit:
    for (unsigned word = 0; word < delta_conv_shape<CONFIG_T>::words; word++) {
        #pragma HLS PIPELINE II=1
    Lane:
        for (unsigned lane = 0; lane < CONFIG_T::pe; lane++) {
            #pragma HLS UNROLL
            out[word % groups * CONFIG_T::pe + lane] = delta_value<typename res_T::value_type>(delta_total<CONFIG_T>(state, word, lane));
        }
        if (word % groups == groups - 1)
            res.write(out);
    }
}

template <class data_T, class res_T, class CONFIG_T>
void delta_conv(hls::stream<data_T> &data, hls::stream<res_T> &res,
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
    delta_convolve<CONFIG_T>(spans, located, weights, biases, reset, res);
}

// A frame of n elements from packets, and to packets.
template <unsigned n, class data_T> void delta_unpack(hls::stream<data_T> &data, typename data_T::value_type frame[n]) {
    static_assert(n % data_T::size == 0, "a frame must be whole packets");
Packet:
    for (unsigned p = 0; p < n / data_T::size; p++) {
        #pragma HLS PIPELINE
        const data_T in = data.read();
    Lane:
        for (unsigned lane = 0; lane < data_T::size; lane++) {
            #pragma HLS UNROLL
            frame[p * data_T::size + lane] = in[lane];
        }
    }
}

template <unsigned n, class res_T> void delta_pack(typename res_T::value_type frame[n], hls::stream<res_T> &res) {
    static_assert(n % res_T::size == 0, "a frame must be whole packets");
Packet:
    for (unsigned p = 0; p < n / res_T::size; p++) {
        #pragma HLS PIPELINE
        res_T out;
    Lane:
        for (unsigned lane = 0; lane < res_T::size; lane++) {
            #pragma HLS UNROLL
            out[lane] = frame[p * res_T::size + lane];
        }
        res.write(out);
    }
}

template <class data_T, class res_T, class CONFIG_T> void delta_pool(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    #pragma HLS DATAFLOW
    static const unsigned n_in = delta_pool_shape<CONFIG_T>::n_in;
    static const unsigned n_out = delta_pool_shape<CONFIG_T>::words * CONFIG_T::pe;
    typename data_T::value_type frame[n_in];
    typename res_T::value_type result[n_out];
    #pragma HLS ARRAY_PARTITION variable=frame cyclic factor=CONFIG_T::pe
    #pragma HLS ARRAY_PARTITION variable=result cyclic factor=CONFIG_T::pe
    delta_unpack<n_in, data_T>(data, frame);
    delta_pool<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(frame, result);
    delta_pack<n_out, res_T>(result, res);
}

template <class data_T, class res_T, class CONFIG_T> void delta_upsample(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    #pragma HLS DATAFLOW
    static const unsigned n_in = delta_upsample_shape<CONFIG_T>::n_in;
    static const unsigned n_out = delta_upsample_shape<CONFIG_T>::words * CONFIG_T::pe;
    typename data_T::value_type frame[n_in];
    typename res_T::value_type result[n_out];
    #pragma HLS ARRAY_PARTITION variable=frame cyclic factor=CONFIG_T::pe
    #pragma HLS ARRAY_PARTITION variable=result cyclic factor=CONFIG_T::pe
    delta_unpack<n_in, data_T>(data, frame);
    delta_upsample<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(frame, result);
    delta_pack<n_out, res_T>(result, res);
}

template <class first_T, class second_T, class res_T, class CONFIG_T>
void delta_join(hls::stream<first_T> &first, hls::stream<second_T> &second, hls::stream<res_T> &res) {
    #pragma HLS DATAFLOW
    static const unsigned n_first = CONFIG_T::n_position * CONFIG_T::n_first;
    static const unsigned n_second = CONFIG_T::n_position * CONFIG_T::n_second;
    static const unsigned n_out = CONFIG_T::n_position * CONFIG_T::n_chan;
    typename first_T::value_type first_frame[n_first];
    typename second_T::value_type second_frame[n_second];
    typename res_T::value_type result[n_out];
    #pragma HLS ARRAY_PARTITION variable=first_frame cyclic factor=CONFIG_T::pe
    #pragma HLS ARRAY_PARTITION variable=second_frame cyclic factor=CONFIG_T::pe
    #pragma HLS ARRAY_PARTITION variable=result cyclic factor=CONFIG_T::pe
    delta_unpack<n_first, first_T>(first, first_frame);
    delta_unpack<n_second, second_T>(second, second_frame);
    delta_join<typename first_T::value_type, typename second_T::value_type, typename res_T::value_type, CONFIG_T>(
        first_frame, second_frame, result);
    delta_pack<n_out, res_T>(result, res);
}

template <class data_T, class res_T, class CONFIG_T>
void delta_copy(hls::stream<data_T> &data, hls::stream<res_T> &first, hls::stream<res_T> &second) {
Packet:
    for (unsigned p = 0; p < CONFIG_T::n / data_T::size; p++) {
        #pragma HLS PIPELINE II=1
        const data_T in = data.read();
        res_T out;
    Lane:
        for (unsigned lane = 0; lane < data_T::size; lane++) {
            #pragma HLS UNROLL
            out[lane] = in[lane];
        }
        first.write(out);
        second.write(out);
    }
}

} // namespace nnet

#endif
