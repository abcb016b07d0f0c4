# SPDX-License-Identifier: Apache-2.0
"""A design: one TOML file, one tree of frozen records. `load` reads it; docs/cli.md shows a whole file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from codesign.core.section import CoreSection
from codesign.data.config import DataConfig
from codesign.errors import ConfigError
from codesign.flow.validate import check_sections
from codesign.names import check_design
from codesign.records import build, check, limited, read_toml
from codesign.training.config import ModelConfig, TrainingConfig

if TYPE_CHECKING:
    from codesign.layers import Engines

Target = Literal["ecp5", "xc7"]
Architecture = Literal["pipeline", "core"]
HlsTool = Literal["vitis", "bambu", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignSection:
    """``[design]``.

    Attributes:
        name: name of the build folder and of the hardware's top module: a C and SystemVerilog identifier.
        seed: seed of data, training and stimulus.
    """

    name: str
    seed: int = limited(1, at_least=0, at_most=2**31 - 1)

    def __post_init__(self) -> None:
        check(self, "design")
        check_design(self.name, where="design.name")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSection:
    """``[hardware.layer.<name>]``: what differs for one layer.

    Attributes:
        pe: processing elements (multiply-accumulates per cycle); divides the layer's outputs, or is not below them.
            Unset: ``hardware.pe``.
        unroll: output positions that an event reaches in one cycle: rows and columns of a layer whose window slides.
            Unset: one. As many as an element reaches, or more, means all of them. Called ``taps`` in version 0.1.
    """

    pe: int | None = limited(None, at_least=1)
    unroll: tuple[int, ...] = limited((), at_least=1, was="taps")

    def __post_init__(self) -> None:
        check(self, "hardware.layer")


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareSection:
    """``[hardware]``.

    Attributes:
        architecture: ``pipeline``: an engine for each layer; ``core``: one engine, of ``[core]``, that executes the
            network as a program. The other keys are about the pipeline, and the HLS project, which always is one.
        pe: processing elements of every layer: the largest divisor of its outputs not above this is used. Not used with
            ``cycles`` or ``multipliers``; training counts with it in any case, as nothing is measured before it.
        cycles: cycles that no layer should exceed in nine of ten frames of the clips: PE and unroll of every layer are
            chosen for it, with the fewest multipliers. ``balanced``: as few cycles as ``multipliers`` allow.
        multipliers: most multipliers of all layers together. Unset: with ``balanced`` as many as PE 16 would take, else
            no limit.
        p: input codes in one AXI4-Stream beat.
        strategy: strategy of every linear layer. Only ``delta`` so far.
        io_type: interface style of the HLS project.
        layer: settings of single layers that differ.
    """

    architecture: Architecture = "pipeline"
    pe: int = limited(16, at_least=1, at_most=4096)
    cycles: int | Literal["balanced"] | None = limited(None, at_least=1)
    multipliers: int | None = limited(None, at_least=1)
    p: int = limited(16, at_least=1, at_most=4096)
    strategy: Literal["delta"] = "delta"
    io_type: Literal["io_parallel", "io_stream"] = "io_parallel"
    layer: dict[str, LayerSection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(self, "hardware")

    @property
    def target(self) -> dict[str, int | str]:
        """The target of the whole model in an hls4ml config; empty if there is none."""
        given = {"Cycles": self.cycles, "Multipliers": self.multipliers}
        return {key: value for key, value in given.items() if value is not None}

    def engines(self) -> Engines:
        """Return what an event costs in the engines, for training to count."""
        from codesign.layers import Engines

        return Engines(
            pe=self.pe,
            layer_pe={name: layer.pe for name, layer in self.layer.items() if layer.pe is not None},
            unroll={name: layer.unroll for name, layer in self.layer.items() if layer.unroll},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSection:
    """``[clip]``: the stream everything is measured on, made of clips of the test split.

    Attributes:
        clips: number of clips; each starts as a new stream.
        frames: frames per clip.
        dense_frames: frames the dense baseline is measured on; its cycles do not depend on the data.
    """

    clips: int = limited(40, at_least=1, at_most=1_000_000)
    frames: int = limited(256, at_least=2, at_most=100_000)
    dense_frames: int = limited(64, at_least=2)

    def __post_init__(self) -> None:
        check(self, "clip")


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthSection:
    """``[synth]``.

    Attributes:
        targets: FPGA families to synthesise for: Lattice ECP5, Xilinx 7-series.
        route: place and route ``ecp5`` too; without it there is no Fmax and no frames per second.
    """

    targets: tuple[Target, ...] = ("ecp5", "xc7")
    route: bool = True

    def __post_init__(self) -> None:
        if len(set(self.targets)) != len(self.targets):
            raise ConfigError("a target is named twice", where="synth.targets", received=", ".join(self.targets))


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsSection:
    """``[hls]``.

    Attributes:
        tool: HLS compiler of stage ``5_hls``. Unset: the one on PATH, Vitis HLS before PandA-Bambu; 'none': none.
        clock_mhz: clock that it schedules for.
        timeout_s: time that it may take.
    """

    tool: HlsTool | None = None
    clock_mhz: float = limited(100.0, at_least=1.0, at_most=1000.0)
    timeout_s: float = limited(3600.0, at_least=1.0, at_most=604800.0)

    def __post_init__(self) -> None:
        check(self, "hls")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSection:
    """``[report]``.

    Attributes:
        clock_mhz: clock for frames per second. Unset: the routed Fmax; unknown if nothing was routed.
        stills: frames shown beside what changed in them.
    """

    clock_mhz: float | None = limited(None, at_least=0.001, at_most=10_000)
    stills: int = limited(8, at_least=0, at_most=32)

    def __post_init__(self) -> None:
        check(self, "report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A whole design. Sections that the TOML leaves out have their defaults; ``[design]`` is needed."""

    design: DesignSection
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    hardware: HardwareSection = field(default_factory=HardwareSection)
    core: CoreSection = field(default_factory=CoreSection)
    clip: ClipSection = field(default_factory=ClipSection)
    hls: HlsSection = field(default_factory=HlsSection)
    synth: SynthSection = field(default_factory=SynthSection)
    report: ReportSection = field(default_factory=ReportSection)

    def __post_init__(self) -> None:
        check_sections(self)


def load(path: Path) -> Design:
    """Read a design from a TOML file; paths in it are relative to it.

    Raises:
        ConfigError: no such file, not TOML, or keys or values that are not valid; one line each with ``file:key``.
    """
    table = read_toml(path)
    try:
        return build(Design, table, where="", folder=path.resolve().parent)
    except ConfigError as error:
        raise error.inside(f"{path}:") from None
