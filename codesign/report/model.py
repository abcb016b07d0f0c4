# SPDX-License-Identifier: Apache-2.0
"""The report as records, and as ``report.json``. An unknown is None (JSON null), never 0.

The names of the fields are the keys of the JSON and are stable; docs/report.md explains each. `Detail` is what only the
pictures of ``report.html`` need and is kept apart in ``detail.json``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConfigError
from codesign.flow.records import build, plain
from codesign.outputs import write_text
from codesign.report.boards import Board, board
from codesign.report.energy import Energy
from codesign.report.spread import Spread
from codesign.synth.board_build import BoardBuild
from codesign.synth.resources import Resources

Number: TypeAlias = float | None
Count: TypeAlias = int | None
Origin: TypeAlias = Literal["simulated", "synthesised", "routed", "estimated", "counted", "given"]
R = TypeVar("R")

REPORT = "report.json"
DETAIL = "detail.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Clip accuracy on the test split, 0 to 1: float network, quantised network, network trained for sparsity."""

    float: Number = None
    quantized: Number = None
    delta: Number = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatches:
    """Output values that differ between two implementations; None if the two were not compared."""

    keras_golden: Count = None
    golden_csim: Count = None
    golden_rtl: Count = None

    def total(self) -> int:
        """Return the sum of what was compared."""
        return sum(count or 0 for count in (self.keras_golden, self.golden_csim, self.golden_rtl))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """``values`` output values of ``frames`` frames were compared in each pair."""

    frames: Count = None
    values: Count = None
    mismatches: Mismatches = field(default_factory=Mismatches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One linear layer; see docs/report.md."""

    name: str
    kind: str
    macs_per_frame: int
    density: Spread
    operation_sparsity: Number
    spatial_sparsity: Number
    events_per_frame: Number
    cycles_per_frame: Number
    ideal_cycles_per_frame: Number
    state_bits: int
    weight_bits: int
    estimated_cycles_per_frame: Number = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Measured clock cycles, and what they mean at a clock."""

    cycles_per_frame: Spread = field(default_factory=Spread)
    dense_cycles_per_frame: Number = None
    speedup: Number = None
    ideal_cycles_per_frame: Number = None
    skip_efficiency: Number = None
    bottleneck_layer: str | None = None
    latency_cycles: Number = None
    clock_mhz: Number = None
    frames_per_second: Number = None
    estimated_cycles_per_frame: Number = None
    estimated_dense_cycles_per_frame: Number = None
    dense_cycles_spread: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """Bits of one kind of memory that the RTL instantiates for a node of the graph; see docs/report.md."""

    layer: str
    kind: str
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """What the design was measured on.

    Attributes:
        source: in words: ``test split``, or the name of a video.
        count: clips, each a new stream.
        frames: of a clip.
        shape: of a frame.
        digest: first 16 hexadecimal digits of the SHA-256 of the input codes: two designs with the same one saw the
            same frames.
    """

    source: str
    count: int
    frames: int
    shape: tuple[int, ...]
    digest: str

    @classmethod
    def of(cls, source: str, codes: NDArray[np.integer]) -> Clips:
        """Return what there is to say of input codes ``[N, T, *shape]``."""
        digest = hashlib.sha256(np.ascontiguousarray(codes.astype("<i8")).tobytes()).hexdigest()[:16]
        return cls(source=source, count=codes.shape[0], frames=codes.shape[1], shape=codes.shape[2:], digest=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of ``report.json``. ``origins`` says for each figure (or group of figures) how it was got."""

    design: str
    tool_versions: dict[str, str | None]
    accuracy: Accuracy = field(default_factory=Accuracy)
    agreement: Agreement = field(default_factory=Agreement)
    layers: tuple[Layer, ...] = ()
    throughput: Throughput = field(default_factory=Throughput)
    resources: tuple[Resources, ...] = ()
    memories: tuple[MemoryUse, ...] = ()
    origins: dict[str, Origin] = field(default_factory=dict)
    clips: Clips | None = None
    energy: Energy | None = None
    boards: tuple[Board, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One frame of the clip beside what changed in it; pixels row by row.

    Attributes:
        frame: index in the clip.
        height: pixels.
        width: pixels.
        codes: input codes after quantisation, scaled to 0..255.
        changes: sign of each input delta: -1, 0, 1.
    """

    frame: int
    height: int
    width: int
    codes: tuple[int, ...]
    changes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What the pictures show: one clip frame by frame, and how sparsity training changed the network.

    Attributes:
        clip: what the clip is, in words.
        cycles: measured clock cycles of each frame, skipping on, ``[T]``.
        ideal: ideal cycles of each frame, ``[T]``.
        encode_cycles: mean busy cycles of the input scan of a frame.
        input_beats: input beats of a frame: the floor under its cycles.
        stills: frames of the clip.
        sparsity_quantized: operation sparsity on the test split, trained without the sparsity loss.
        sparsity_delta: the same, trained with it.
    """

    clip: str = ""
    cycles: tuple[int, ...] = ()
    ideal: tuple[int, ...] = ()
    encode_cycles: Number = None
    input_beats: Count = None
    stills: tuple[Still, ...] = ()
    sparsity_quantized: Number = None
    sparsity_delta: Number = None


def operation_sparsity(report: Report) -> float | None:
    """Return the share of all MACs of the network that are skipped; None if a layer's is unknown."""
    layers = [layer for layer in report.layers if layer.macs_per_frame]
    if not layers or any(layer.operation_sparsity is None for layer in layers):
        return None
    skipped = sum(layer.macs_per_frame * (layer.operation_sparsity or 0.0) for layer in layers)
    return skipped / sum(layer.macs_per_frame for layer in layers)


def with_builds(report: Report, builds: Sequence[BoardBuild]) -> Report:
    """Return the report with these builds in place of those it has, each with its frames per second."""
    speed = report.throughput
    boards = tuple(board(item, speed.cycles_per_frame if item.skip else speed.dense_cycles_spread) for item in builds)
    kinds: set[Origin] = {"routed" if item.kind == "route" else "synthesised" for item in builds}
    origins = {key: origin for key, origin in report.origins.items() if not key.startswith("boards.")}
    origins |= {f"boards.{kind}": kind for kind in sorted(kinds)}
    return dataclasses.replace(report, boards=boards, origins=origins)


def write_json(record: object, path: Path) -> None:
    """Write a record as JSON."""
    write_text(path, json.dumps(plain(record), indent=1, allow_nan=False) + "\n")


def read_json(kind: type[R], path: Path) -> R:
    """Read a record back.

    Raises:
        ConfigError: not JSON, or not this kind of record.
    """
    try:
        data = json.loads(path.read_text())
        return build(kind, data, where="", folder=path.parent)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read ({error})", where=str(path), fix="run `codesign run` again") from None
    except ConfigError as error:
        raise error.inside(f"{path}:") from None
