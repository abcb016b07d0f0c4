# SPDX-License-Identifier: Apache-2.0
"""What a compiled core has to keep, and whether a device has so much: before a compiler spends an hour on it."""

from __future__ import annotations

from codesign.errors import SynthesisError
from codesign.graph.engines import Pool
from codesign.graph.ir import Graph, Linear
from codesign.synth.memory import CAPACITY_BITS

LARGEST = "the largest device that is known"
LAYERS_SHOWN = 5


def kept_bits(graph: Graph) -> dict[str, int]:
    """Return {node: bits that its kernel keeps}: codes that were sent, sums (a maximum: its windows) and weights.

    A lower bound: queues, lists of touched rows and the second copies that a compiler makes come on top.
    """
    found = {}
    for node in graph.nodes[1:]:
        window = node.window if isinstance(node, Pool) and node.kind == "max" else 1
        weights = node.weight.size * node.weight_fmt.width if isinstance(node, Linear) else 0
        found[node.name] = node.size * node.fmt.width * window + weights
    return found


def check_memory(graph: Graph, *, capacity: int | None = None, of: str = LARGEST) -> None:
    """Check that what a core of a network keeps fits a device.

    Args:
        graph: the network.
        capacity: bits of memory that the device has; None: as the largest device that the project knows.
        of: the device, for the message.

    Raises:
        SynthesisError: it does not; names the layers that keep most.
    """
    most = max(CAPACITY_BITS.values()) if capacity is None else capacity
    found = dict(sorted(kept_bits(graph).items(), key=lambda item: -item[1]))
    need = sum(found.values())
    if need <= most:
        return
    largest = ", ".join(f"{name} {bits:,}" for name, bits in list(found.items())[:LAYERS_SHOWN])
    raise SynthesisError(
        "the network's frames and weights do not fit into the memory of the device, so it is not compiled",
        where=graph.name,
        expected=f"at most {most:,} bits, those of {of}",
        received=f"an estimate of {need:,} bits; most in {largest}",
        fix="smaller frames, fewer channels or fewer bits in these layers, or a larger device",
    )
