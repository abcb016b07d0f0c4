# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.networks``: models that others trained through ``codesign import``, one row each."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign.errors import CodesignError, ConfigError
from codesign.graph.channels import stored_bits
from codesign.graph.file import load_graph
from codesign.outputs import write_text
from codesign.paths import BuildFolder
from codesign.records import build, read_toml
from codesign.report.assemble import memory_figures
from codesign.report.document import check_marks, fill, table
from codesign.rtl.top import top_of
from codesign.stored import load_json
from codesign.synth.memory import boards_that_fit, memories
from codesign.synth.record import read_build
from codesign.synth.target import target_names

TABLE = Path(__file__).with_name("networks.toml")
APPLICATIONS = "keras.applications."
PAIRS = ((BuildFolder.GRAPH, "keras_golden"), (BuildFolder.CSIM, "golden_csim"), (BuildFolder.RTLSIM, "golden_rtl"))
HEAD = (
    *("network", "clips", "bits", "decisions kept", "MACs skipped", "cycles", "dense", "memory, kbit"),
    *("fits", "LUT / DSP", "frames / s", "mismatches"),
)
Import = Callable[[Sequence[str]], str | None]
"""Runs ``codesign import`` with arguments; returns what it says if it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """``[[network]]``: one of the table.

    Attributes:
        name: its name, and that of its build folder.
        what: what it is, in words.
        model: file in the folder of models, or ``keras.applications.X``.
        clips: folder in the folder of clips.
        options: others of ``codesign import``.
    """

    name: str
    what: str
    model: str
    clips: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The whole table."""

    network: tuple[Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is known of a network; None is unknown.

    Attributes:
        network: name.
        architecture: of the RTL: a pipeline of engines, or a core (`benchmarks.cores`).
        weight_bits: bits of a weight as the RTL stores it, of the layer with the widest.
        activation_bits: bits of a code, of the activation with the widest.
        clips: what it was measured on.
        decisions_kept: share of unseen frames in which the float model gives the same answer.
        accuracy: of the delta network, where clips are labelled.
        float_accuracy: of the float model on the same clips.
        operation_sparsity: share of the multiply-accumulates that is skipped in unseen frames.
        cycles_per_frame: mean, simulated.
        dense_cycles_per_frame: with skipping off.
        memory_bits: of all memories of the RTL.
        lut: of the design on ``target``: routed, or as synthesised where no clock is known.
        dsp: the same.
        target: board that it was built for.
        clock_mhz: that the routed design meets, at most the one that was asked for.
        frames_per_second: clock over cycles.
        values: output values that were compared.
        mismatches: values that differ between Keras, golden model, HLS C++ and RTL, as far as they ran.
        bytes_per_frame: of a core, to and from its external memory, mean.
        load_seconds: of a core, for its image on the board's serial line, computed from its size.
    """

    network: str
    architecture: str | None = None
    weight_bits: int | None = None
    activation_bits: int | None = None
    clips: str | None = None
    decisions_kept: float | None = None
    accuracy: float | None = None
    float_accuracy: float | None = None
    operation_sparsity: float | None = None
    cycles_per_frame: float | None = None
    dense_cycles_per_frame: float | None = None
    memory_bits: int | None = None
    lut: int | None = None
    dsp: int | None = None
    target: str | None = None
    clock_mhz: float | None = None
    frames_per_second: float | None = None
    values: int | None = None
    mismatches: int | None = None
    bytes_per_frame: float | None = None
    load_seconds: float | None = None


def main(argv: list[str] | None = None) -> int:
    """Import every network of the table; exit status 1 if one fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of the model files")
    parser.add_argument("--clips", type=Path, required=True, help="folder of the folders of clips")
    parser.add_argument("--table", type=Path, default=TABLE, help="the networks (default: benchmarks/networks.toml)")
    parser.add_argument("--json", type=Path, required=True, help="write the rows here")
    parser.add_argument("--markdown", type=Path, required=True, help="put the table into this document")
    parser.add_argument("--folder", type=Path, default=Path("build/networks"), help="build folders of the designs")
    options = parser.parse_args(argv)
    try:
        networks = build(Table, read_toml(options.table), where="", folder=options.table.parent).network
        check_marks(options.markdown, ("networks", "failed"))
        for path in (options.models, options.clips):
            if not path.is_dir():
                raise ConfigError("no such folder", where=str(path), expected="the folder of the files of the table")
        rows, failed = measure(networks, options.models, options.clips, options.folder)
        documents = [dataclasses.asdict(row) for row in rows] + rows_of_cores(options.json)
        write_text(options.json, json.dumps(documents, indent=1) + "\n")
        fits = {network.name: board_in_words(options.folder / network.name) for network in networks}
        fill(options.markdown, {"networks": words(rows, networks, fits), "failed": _failures(failed)})
    except CodesignError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return int(bool(failed))


def rows_of_cores(path: Path) -> list[dict[str, object]]:
    """Return the rows of a file that are of cores: other measurements than these."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return [row for row in rows if row["architecture"] == "core"]


def measure(
    networks: Sequence[Network], models: Path, clips: Path, folder: Path, run: Import | None = None
) -> tuple[list[Row], dict[str, str]]:
    """Return a row for each network, and why those that failed did, by name."""
    rows, failed = [], {}
    for network in networks:
        print(f"== {network.name}", flush=True)
        output = folder / network.name
        said = _run(network, models, clips, output, run or _import)
        if said is not None:
            failed[network.name] = said.replace(f"{models}/", "").replace(f"{clips}/", "").replace(f"{folder}/", "")
        rows.append(read(network, output, failed=said is not None))
    return rows, failed


def _run(network: Network, models: Path, clips: Path, output: Path, run: Import) -> str | None:
    model = models / network.model
    if network.model.startswith(APPLICATIONS):
        model = application(network.model.removeprefix(APPLICATIONS), output.parent)
    for path in (model, clips / network.clips):
        if not path.exists():
            return f"{path} is missing."
    return run([str(model), "--clips", str(clips / network.clips), "--output", str(output), *network.options])


def application(name: str, folder: Path) -> Path:
    """Return the file of a model of keras.applications with random weights, always the same; make it if need be."""
    path = folder / f"{name}.keras"
    if not path.exists():
        import keras

        keras.utils.set_random_seed(1)
        folder.mkdir(parents=True, exist_ok=True)
        getattr(keras.applications, name)(weights=None, input_shape=(224, 224, 3)).save(path)
    return path


def _import(arguments: Sequence[str]) -> str | None:
    """Run it as a process of its own, which gives its memory back."""
    code = "import sys; from codesign.cli import main; sys.exit(main(['import', *sys.argv[1:]]))"
    done = subprocess.run([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True, check=False)
    said = re.split(r"^error: ", done.stderr, flags=re.MULTILINE)[1:]
    return " ".join((said[-1] if said else f"exit status {done.returncode}").split()) if done.returncode else None


def read(network: Network, folder: Path, *, failed: bool = False) -> Row:
    """Return what the stages of a design found, as far as they ran."""
    row = Row(network=network.name, clips=network.clips)
    training = folder / BuildFolder.MODEL / "training.json"
    if failed or not training.is_file():
        return row
    found = load_json(training)
    kept, calibration = found["float_agreement"], found["calibration"]
    made = network.model.startswith(APPLICATIONS)  # random weights: shares mean nothing
    row = dataclasses.replace(
        row,
        clips=f"{network.clips}, {kept['frames']} unseen frames",
        activation_bits=max(item["bits"] for item in calibration["activations"]),
        decisions_kept=None if made else kept["decisions"],
        accuracy=found["accuracy"].get("delta"),
        float_accuracy=found["accuracy"].get("float"),
        operation_sparsity=None if made else calibration["unseen_operation_sparsity"],
    )
    if not (folder / BuildFolder.GRAPH / "graph.json").is_file():
        return row
    graph = load_graph(folder / BuildFolder.GRAPH)
    compared = [load_json(path) for stage, pair in PAIRS if (path := folder / stage / f"{pair}.json").is_file()]
    row = dataclasses.replace(
        row,
        architecture="pipeline",
        weight_bits=max(stored_bits(graph, node)[0] for node in graph.linears),
        memory_bits=sum(item.bits for item in memory_figures(graph)),
        values=min(item["values"] for item in compared),
        mismatches=sum(item["mismatches"] for item in compared),
    )
    report = folder / BuildFolder.REPORT / "report.json"
    if not report.is_file():
        return row
    rates = load_json(report)["throughput"]
    row = dataclasses.replace(
        row,
        cycles_per_frame=rates["cycles_per_frame"]["mean"],
        dense_cycles_per_frame=rates["dense_cycles_per_frame"],
    )
    return _built(row, folder)


def _built(row: Row, folder: Path) -> Row:
    """Return a row with the first build for a board that is routed, or else the first whose cells are counted.

    Its clock is the one that was asked for, or the one that was routed where that is less.
    """
    builds = [read_build(path) for path in sorted((folder / BuildFolder.BOARDS).glob("*/build.json"))]
    builds = [build for build in builds if build.skip and build.used.lut is not None]
    if not builds:
        return row
    found = next((build for build in builds if build.fmax_mhz), builds[0])
    row = dataclasses.replace(row, lut=found.used.lut, dsp=found.used.dsp, target=found.target)
    if not found.fmax_mhz or not found.clock_mhz or not row.cycles_per_frame:
        return row
    clock = min(found.clock_mhz, found.fmax_mhz)
    return dataclasses.replace(row, clock_mhz=clock, frames_per_second=clock * 1e6 / row.cycles_per_frame)


def board_in_words(folder: Path) -> str:
    """Return the smallest known board whose memory a design fits, and how many do."""
    if not (folder / BuildFolder.GRAPH / "graph.json").is_file():
        return "-"
    fit = boards_that_fit(memories(top_of(load_graph(folder / BuildFolder.GRAPH))))
    return f"{fit[0].name}, {len(fit)} of {len(target_names())}" if fit else "none"


def words(rows: Sequence[Row], networks: Sequence[Network], fits: Mapping[str, str]) -> str:
    """Return the rows of ``networks`` as a Markdown table; ``fits``: boards by network."""
    return table(
        HEAD,
        [
            (
                f"{row.network}: {network.what}",
                row.clips or "",
                f"{number(row.weight_bits)} / {number(row.activation_bits)}",
                _share(row.decisions_kept),
                _share(row.operation_sparsity),
                number(row.cycles_per_frame),
                number(row.dense_cycles_per_frame),
                number(None if row.memory_bits is None else row.memory_bits / 1000),
                fits.get(row.network, "-"),
                "-" if row.lut is None else f"{number(row.lut)} / {number(row.dsp)}, {row.target}",
                "-" if row.clock_mhz is None else f"{number(row.frames_per_second)} at {row.clock_mhz:g} MHz",
                "-" if row.mismatches is None else f"{row.mismatches:,} of {row.values:,}",
            )
            for row, network in zip(rows, networks, strict=True)
        ],
    )


def _failures(failed: dict[str, str]) -> str:
    return "\n".join(f"* {name}: {said}" for name, said in failed.items()) or "All of them go through."


def number(value: float | None) -> str:
    """Return a whole number as the tables have it."""
    return "-" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
