# SPDX-License-Identifier: Apache-2.0
"""Hardware codesign for neural networks on streams: train temporal sparsity, prove it, cash it in on an FPGA.

What most users need is here, and is imported when it is asked for: ``codesign.delta`` needs TensorFlow,
``codesign.Graph`` NumPy alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign import moved
from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.graph.golden import Golden
    from codesign.graph.ir import Graph
    from codesign.host.client import Board
    from codesign.layers import DeltaActivation, delta, load_model, over_time, stream
    from codesign.rtl import emit
    from codesign.sim import RtlSimulator

__version__ = "0.1.0"
__all__ = [
    "Board",
    "DeltaActivation",
    "Golden",
    "Graph",
    "RtlSimulator",
    "__version__",
    "delta",
    "emit",
    "load_model",
    "over_time",
    "stream",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Board": "codesign.host.client",
        "DeltaActivation": "codesign.layers",
        "Golden": "codesign.graph.golden",
        "Graph": "codesign.graph.ir",
        "RtlSimulator": "codesign.sim",
        "delta": "codesign.layers",
        "emit": "codesign.rtl",
        "load_model": "codesign.layers",
        "over_time": "codesign.layers",
        "stream": "codesign.layers",
    },
)
moved.install()
