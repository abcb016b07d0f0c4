# SPDX-License-Identifier: Apache-2.0
"""Writes the HLS project, with a reset argument and readable counters, and the RTL project beside it.

hls4ml's writers make whole files; what this one changes is replaced as text, and every replacement first checks that
the text is there exactly as often as expected.
"""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import hls4ml
from hls4ml.writer.vitis_writer import VitisWriter

from codesign.errors import ConfigError, ConversionError
from codesign.hls4ml_plugin.writer.layers import COUNTING

EMIT = "codesign.rtl.project:emit"
"""Looked up when a project is written, so that a stage which only converts does not depend on the RTL's generator."""

# Appended to the bridge. Frames come as doubles, exact up to 53 bits.
BRIDGE = """
static const unsigned delta_indices[] = {{{indices}}};
static const unsigned delta_count = sizeof(delta_indices) / sizeof(delta_indices[0]);

void delta_reset() {{ delta_first_of_stream = true; }}

// frames: consecutive. counters: [frames][layers][beats, events, MACs, words, cycles].
void delta_run(size_t frames, double *in, double *out, unsigned long long *counters) {{
    for (size_t t = 0; t < frames; t++) {{
        std::fill(nnet::delta_counters(), nnet::delta_counters() + nnet::delta_layers, nnet::delta_counter());
        {project}_double(in + t * ({n_in}), out + t * ({n_out}));
        for (unsigned i = 0; i < delta_count; i++) {{
            const nnet::delta_counter &counter = nnet::delta_counters()[delta_indices[i]];
            *counters++ = counter.beats;
            *counters++ = counter.events;
            *counters++ = counter.macs;
            *counters++ = counter.words;
            *counters++ = counter.cycles;
        }}
    }}
}}
}}

#endif
"""

# The reset flag of the bridge: true for the first frame of a stream.
FIRST_OF_STREAM = """#include "firmware/nnet_utils/nnet_delta_common.h"

static bool delta_first_of_stream = true;
static bool delta_take_reset() {
    const bool first = delta_first_of_stream;
    delta_first_of_stream = false;
    return first;
}

extern "C" {

struct trace_data {"""


class DeltaWriter(VitisWriter):  # type: ignore[misc]
    """The Vitis writer, plus reset, counters and RTL."""

    def write_hls(self, model: Any) -> None:
        """Write everything under the model's output folder.

        Raises:
            ConfigError: ``write_emulation_constants`` is set; emulators have no reset argument.
            ConversionError: this hls4ml writes other text than the one this was made for.
        """
        self.write_cpp(model)
        write_rtl(model, Path(model.config.get_output_dir()) / "rtl")
        self.write_tar(model)

    def write_cpp(self, model: Any) -> None:
        """Write the HLS project alone.

        Raises: as `write_hls`.
        """
        if model.config.get_writer_config().get("WriteEmulationConstants"):
            raise ConfigError(
                "the emulator header has no reset argument", expected="write_emulation_constants=False", received=True
            )
        super().write_hls(model)
        folder = Path(model.config.get_output_dir())
        self._add_reset(model, folder)
        self._extend_bridge(model, folder)
        compiled = folder / "build_lib.sh"  # compile both files at the same time, and for the moments that csim runs
        _edit(compiled, "-O3", "-O1", 1)
        _edit(compiled, "-o ${PROJECT}.o\n", "-o ${PROJECT}.o &\nfirst=$!\n", 1)
        _edit(compiled, "-o ${PROJECT}_bridge.o\n", "-o ${PROJECT}_bridge.o\nwait ${first}\n", 1)

    @staticmethod
    def _add_reset(model: Any, folder: Path) -> None:
        project = model.config.get_project_name()
        source, result = model.get_input_variables()[0], model.get_output_variables()[0]
        declared = f"    {source.definition_cpp(as_reference=True)},\n    {result.definition_cpp(as_reference=True)}"
        for suffix in ("cpp", "h"):
            _edit(folder / "firmware" / f"{project}.{suffix}", f"{declared}\n", f"{declared},\n    bool reset\n", 1)
        _edit(
            folder / f"{project}_test.cpp",
            f"{project}({source.name},{result.name});",
            f"{project}({source.name}, {result.name}, false); // power-up starts the stream",
            2,
        )
        _edit(
            folder / f"{project}_bridge.cpp",
            f"{project}({source.name}_ap,{result.name}_ap);",
            f"{project}({source.name}_ap, {result.name}_ap, delta_take_reset());",
            2,
        )

    @staticmethod
    def _extend_bridge(model: Any, folder: Path) -> None:
        bridge = folder / f"{model.config.get_project_name()}_bridge.cpp"
        text = BRIDGE.format(
            project=model.config.get_project_name(),
            indices=", ".join(str(layer.index) for layer in delta_layers(model)),
            n_in=model.get_input_variables()[0].size(),
            n_out=model.get_output_variables()[0].size(),
        )
        _edit(bridge, 'extern "C" {\n\nstruct trace_data {', FIRST_OF_STREAM, 1)
        _edit(bridge, "}\n}\n\n#endif\n", "}\n" + text, 1)


def delta_layers(model: Any) -> list[Any]:
    """Return the layers that count, in order: all but the input and the copies."""
    return [layer for layer in model.graph.values() if layer.class_name in COUNTING]


def write_rtl(model: Any, folder: Path) -> None:
    """Write the RTL project into ``folder``."""
    for name, text in resolve_name(EMIT)(model.delta_graph).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _edit(path: Path, old: str, new: str, count: int) -> None:
    """Replace ``old``, which must occur ``count`` times, by ``new``."""
    text = path.read_text(encoding="utf-8")
    if text.count(old) != count:
        raise ConversionError(
            "hls4ml wrote something else than this version of the plugin knows",
            where=path.name,
            expected=f"{count} times {old!r}",
            received=f"{text.count(old)} times, hls4ml {hls4ml.__version__}",
            fix="install hls4ml 1.3",
        )
    path.write_text(text.replace(old, new), encoding="utf-8")
