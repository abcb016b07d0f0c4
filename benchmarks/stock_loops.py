# SPDX-License-Identifier: Apache-2.0
"""Cycles and multipliers of hls4ml's io_stream kernels of backend Vitis, counted from their loops and pragmas.

Names of loops are those in hls4ml 1.3.0's ``templates/vitis/nnet_utils`` and ``templates/vivado/nnet_utils``; *rf* is
the reuse factor, a position is a pixel with all its channels.

====================  ==========================================  =====================================================
kernel                loops                                       cycles of a frame
====================  ==========================================  =====================================================
convolution, Latency  ``ReadInputHeight``, ``ReadInputWidth``,    rf * input positions, padding included, whether an
                      flattened, pipeline with II = rf            output is made or not
convolution,          the same without a pipeline; where an       rf * output positions + 1 for each other input
Resource              output is made ``ReuseLoop``, II = 1        position, at least
dense                 ``DataPrepare``, rf, ``ResWrite``           the sum of the three
pooling               ``ReadInputHeight``, ``ReadInputWidth``     input positions
zero padding          ``PadTop`` to ``PadBottom``                 output positions, at least
activation, sum,      one loop, II = 1                            positions
copy
====================  ==========================================  =====================================================

*At least*: filling and draining a loop that is not pipelined into the next is not counted.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from codesign.errors import UnsupportedLayerError

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "PointwiseConv2D")
ONE_LOOP = ("Activation", "Merge", "Clone")


def cycles(layer: Any) -> int:
    """Return the cycles that a layer of a converted ModelGraph takes for a frame; 0 where it has no kernel.

    Raises:
        UnsupportedLayerError: a kernel whose loops are not known.
    """
    if layer.get_attr("function_cpp") is None:  # the input; a Flatten, which only renames its stream
        return 0
    kind, out = layer.class_name, layer.get_output_variable()
    if kind in CONVOLUTIONS:
        reuse = int(layer.get_attr("reuse_factor"))
        read = layer.get_attr("in_height") * layer.get_attr("in_width")
        made = layer.get_attr("out_height") * layer.get_attr("out_width")
        return int(read * reuse if layer.get_attr("strategy") == "latency" else made * reuse + read - made)
    if kind == "Dense":
        reads = layer.get_attr("n_in") // layer.get_input_variable().type.n_elem
        return int(reads + layer.get_attr("reuse_factor") + layer.get_attr("n_out") // out.type.n_elem)
    if kind == "Pooling2D":
        return int(layer.get_attr("in_height") * layer.get_attr("in_width"))
    if kind == "ZeroPadding2D":
        return int(layer.get_attr("out_height") * layer.get_attr("out_width"))
    if kind in ONE_LOOP:
        return int(out.size() // out.type.n_elem)
    raise UnsupportedLayerError("the loops of this kernel are not known", where=layer.name, received=kind)


def multipliers(layer: Any, reuse: int | None = None) -> int | None:
    """Return the multipliers of a layer with a reuse factor, its own one by default; None if it has no weights."""
    if layer.class_name not in (*CONVOLUTIONS, "Dense"):
        return None
    return ceil(_products(layer) / (reuse or int(layer.get_attr("reuse_factor"))))


def reuse_factor(layer: Any, least: int) -> int:
    """Return the largest of hls4ml's valid reuse factors with at least so many multipliers; 1 if there is none."""
    backend = layer.model.config.backend
    valid = backend.get_valid_reuse_factors(*backend.get_layer_mult_size(layer))
    return max((rf for rf in valid if (multipliers(layer, rf) or 0) >= least), default=1)


def _products(layer: Any) -> int:
    """Return the products of one output position; a depthwise kernel has one input channel for each output."""
    n_in, n_out = layer.model.config.backend.get_layer_mult_size(layer)
    return int(n_in if layer.class_name == "DepthwiseConv2D" else n_in * n_out)
