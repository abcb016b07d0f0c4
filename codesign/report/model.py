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

from codesign.calibration.agreement import FloatAgreement
from codesign.errors import ConfigError
from codesign.outputs import write_text
from codesign.records import build, plain
from codesign.report.boards import BuiltBoard, board
from codesign.report.core_use import Architecture, CoreUse
from codesign.report.energy import Energy
from codesign.report.hls import Hls
from codesign.report.network import Unit, of_today
from codesign.report.percentiles import Percentiles
from codesign.stored import read_text
from codesign.synth.record import BoardBuild
from codesign.synth.resources import Resources

Number: TypeAlias = float | None
Count: TypeAlias = int | None
Origin: TypeAlias = Literal["simulated", "synthesised", "routed", "estimated", "counted", "given"]
R = TypeVar("R")

REPORT = "report.json"
DETAIL = "detail.json"
SCHEMA = 8
"""Version of `Report`, higher where a key is new: 7 has `fits`, 6 `core`, 5 `golden_hls`, 4 `hls`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How the deployed network classified the test clips.

    Attributes:
        classes: their names.
        counts: clips, by true class (rows) and by the class the network chose.
    """

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Clip accuracy on the test split, 0 to 1: float network, quantised network, network trained for sparsity.

    Attributes:
        float: accuracy of the float network.
        quantized: accuracy of the quantised one.
        delta: accuracy of the deployed one.
        clips: number of clips in the test split.
        majority: share of the test clips that are of the most frequent class: what one constant answer reaches at most.
        confusion: how the deployed network classified the clips.
    """

    float: Number = None
    quantized: Number = None
    delta: Number = None
    clips: Count = None
    majority: Number = None
    confusion: Confusion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatches:
    """Output values that differ between two implementations; None if the two were not compared."""

    keras_golden: Count = None
    golden_csim: Count = None
    golden_rtl: Count = None
    golden_hls: Count = None

    def total(self) -> int:
        """Return the sum of what was compared."""
        return sum(count or 0 for count in (self.keras_golden, self.golden_csim, self.golden_rtl, self.golden_hls))


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
    density: Percentiles
    operation_sparsity: Number
    spatial_sparsity: Number
    events_per_frame: Number
    cycles_per_frame: Number
    ideal_cycles_per_frame: Number
    state_bits: int
    weight_bits: int
    estimated_cycles_per_frame: Number = None
    hls_cycles_per_frame: Number = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Measured clock cycles, and what they mean at a clock."""

    cycles_per_frame: Percentiles = field(default_factory=Percentiles)
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
    dense_cycles_spread: Percentiles = field(default_factory=Percentiles)
    bound_cycles_per_frame: Number = None
    bound_efficiency: Number = None


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
        source: origin in words: ``test split``, or the name of a video.
        count: number of clips, each a new stream.
        frames: frames per clip.
        shape: shape of a frame.
        digest: first 16 hexadecimal digits of the SHA-256 of the input codes: the same for the same frames.
    """

    source: str
    count: int
    frames: int
    shape: tuple[int, ...]
    digest: str

    @classmethod
    def of(cls, source: str, codes: NDArray[np.integer]) -> Clips:
        """Return the description of input codes ``[N, T, *shape]``."""
        digest = hashlib.sha256(np.ascontiguousarray(codes.astype("<i8")).tobytes()).hexdigest()[:16]
        return cls(source=source, count=codes.shape[0], frames=codes.shape[1], shape=codes.shape[2:], digest=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the report was made with, so that it can be made again.

    Attributes:
        seed: seed of the design: data, initial weights, order of training.
        commit: commit of this package's sources, with ``-dirty`` if they were changed since; None outside a checkout.
        date: UTC, ISO 8601.
        command: command that makes it.
        version: version of this package.
    """

    seed: Count = None
    commit: str | None = None
    date: str | None = None
    command: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of ``report.json``. ``origins`` gives for each figure (or group of figures) how it was obtained."""

    design: str
    tool_versions: dict[str, str | None]
    schema: Count = None
    architecture: Architecture | None = None
    core: CoreUse | None = None
    made: Made = field(default_factory=Made)
    network: tuple[Unit, ...] = ()
    accuracy: Accuracy = field(default_factory=Accuracy)
    agreement: Agreement = field(default_factory=Agreement)
    float_agreement: FloatAgreement | None = None
    layers: tuple[Layer, ...] = ()
    throughput: Throughput = field(default_factory=Throughput)
    resources: tuple[Resources, ...] = ()
    memories: tuple[MemoryUse, ...] = ()
    origins: dict[str, Origin] = field(default_factory=dict)
    clips: Clips | None = None
    energy: Energy | None = None
    boards: tuple[BuiltBoard, ...] = ()
    hls: Hls | None = None
    fits: tuple[str, ...] | None = None


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
class Epoch:
    """Figures of one epoch of training; unknown ones are None, such as those of a validation split without clips.

    Attributes:
        phase: phase of training.
        epoch: number in this phase, from 1.
        loss: loss on the training clips.
        accuracy: accuracy on the training clips, 0 to 1.
        val_loss: loss on the validation clips.
        val_accuracy: accuracy on the validation clips.
        operation_sparsity: operation sparsity on the training clips.
    """

    phase: str
    epoch: int
    loss: Number = None
    accuracy: Number = None
    val_loss: Number = None
    val_accuracy: Number = None
    operation_sparsity: Number = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What the pictures show: one clip frame by frame, the epochs of training, and what sparsity training changed.

    Attributes:
        clip: what the clip is, in words.
        cycles: measured clock cycles of each frame, skipping on, ``[T]``.
        ideal: ideal cycles of each frame, ``[T]``.
        bound: lower bound of the cycles of all these frames together, see `codesign.graph.sparsity.least_cycles`.
        encode_cycles: mean busy cycles of the input scan of a frame.
        input_beats: input beats of a frame, the fewest cycles that it can take.
        stills: frames of the clip.
        sparsity_quantized: operation sparsity on the test split, trained without the sparsity loss.
        sparsity_delta: the same, trained with it.
        epochs: epochs of training, in order.
    """

    clip: str = ""
    cycles: tuple[int, ...] = ()
    ideal: tuple[int, ...] = ()
    bound: Count = None
    encode_cycles: Number = None
    input_beats: Count = None
    stills: tuple[Still, ...] = ()
    sparsity_quantized: Number = None
    sparsity_delta: Number = None
    epochs: tuple[Epoch, ...] = ()


def operation_sparsity(report: Report) -> float | None:
    """Return the share of all MACs of the network that are skipped; None if a layer's is unknown."""
    layers = [layer for layer in report.layers if layer.macs_per_frame]
    if not layers or any(layer.operation_sparsity is None for layer in layers):
        return None
    skipped = sum(layer.macs_per_frame * (layer.operation_sparsity or 0.0) for layer in layers)
    return skipped / sum(layer.macs_per_frame for layer in layers)


def with_builds(report: Report, builds: Sequence[BoardBuild]) -> Report:
    """Return the report with these builds in place of those it has, each with its frames per second; a core has none:
    they are of pipelines.
    """
    speed, builds = report.throughput, () if report.core else builds
    boards = tuple(board(item, speed.cycles_per_frame if item.skip else speed.dense_cycles_spread) for item in builds)
    kinds: set[Origin] = {"routed" if item.kind == "route" else "synthesised" for item in builds}
    origins = {key: origin for key, origin in report.origins.items() if not key.startswith("boards.")}
    origins |= {f"boards.{kind}": kind for kind in sorted(kinds)}
    return dataclasses.replace(report, boards=boards, origins=origins)


def input_scan(report: Report) -> str:
    """Return the name that the unit which scans the input has in ``report.json``: that of the first delta layer."""
    return report.network[1].name if len(report.network) > 1 else "encode"


def read_report(path: Path) -> Report:
    """Read a ``report.json`` of this or an earlier version; what an earlier one does not have is unknown.

    Raises:
        ConfigError: not JSON, not a report, or one of a later version.
    """
    try:
        data = json.loads(read_text(path))
    except (OSError, ValueError):
        data = None  # `read_json` reports what is wrong
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise ConfigError(
            "the report was made by a later version of codesign",
            where=f"{path}:schema",
            expected=f"at most {SCHEMA}",
            received=schema,
            fix="read it with the version that made it, or `codesign run` the design again",
        )
    return read_json(Report, path)


def write_json(record: object, path: Path) -> None:
    """Write a record as JSON."""
    write_text(path, json.dumps(plain(record), indent=1, allow_nan=False) + "\n")


def read_json(kind: type[R], path: Path) -> R:
    """Read a record back.

    Raises:
        ConfigError: not JSON, or not this kind of record.
    """
    try:
        data = json.loads(read_text(path))
        return build(kind, of_today(data), where="", folder=path.parent)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot be read ({error})", where=str(path), fix="run `codesign run` again") from None
    except ConfigError as error:
        raise error.inside(f"{path}:") from None
