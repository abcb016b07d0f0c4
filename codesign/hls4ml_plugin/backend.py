# SPDX-License-Identifier: Apache-2.0
"""Backend Delta: a Vitis backend whose projects skip what did not change, and that writes and runs RTL too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from hls4ml.backends import VitisBackend, VivadoBackend, get_backend
from hls4ml.model.flow import get_flow, register_flow
from hls4ml.model.optimizer import register_pass
from numpy.typing import NDArray

from codesign.errors import ConversionError
from codesign.hls4ml_plugin import calls, csim, library, simulators
from codesign.hls4ml_plugin.frames import frame_codes
from codesign.hls4ml_plugin.reader import keys, old_names
from codesign.hls4ml_plugin.writer import templates
from codesign.hls4ml_plugin.writer.lower import LowerToDelta
from codesign.hls4ml_plugin.writer.tokens import TokenStreams


class DeltaBackend(VitisBackend):  # type: ignore[misc]
    """Every linear layer is a delta layer; one ModelGraph gives the HLS project and the RTL project."""

    def __init__(self) -> None:
        super(VivadoBackend, self).__init__(name="Delta")
        self._register_layer_attributes()
        self._register_flows()
        templates.install(self)

    def create_initial_config(self, **settings: Any) -> dict[str, Any]:
        """Return hls4ml's config of a project; called by its converters before they read the model.

        Raises:
            ConfigError: an unknown setting or io_type, or an ``hls_config`` that hls4ml would ignore in part.
        """
        calls.check_settings(settings, super().create_initial_config)
        keys.check_shape(old_names.of_today(calls.hls_config_of_caller())[0])
        config: dict[str, Any] = super().create_initial_config(**settings)
        return config

    def _register_flows(self) -> None:
        register_pass("lower", LowerToDelta(), backend=self.name)
        lower = register_flow("lower", ["delta:lower"], backend=self.name)
        types = register_flow(
            "types", ["vivado:transform_types", "delta:token_streams"], requires=[lower], backend=self.name
        )
        register_pass("token_streams", TokenStreams(), backend=self.name)
        register_flow("tokens", ["delta:token_streams"], requires=[lower], backend=self.name)
        apply = register_flow("apply_templates", self._get_layer_templates, requires=[types], backend=self.name)
        self._default_flow = register_flow("ip", None, requires=[lower, types, apply], backend=self.name)
        self._writer_flow = register_flow(
            "write", ["make_stamp", "delta:write_hls"], requires=[self._default_flow], backend=self.name
        )

    def compile(self, model: Any) -> str:
        """Compile the HLS project for csim, written anew in a private folder, and return the library's path.

        Raises:
            ToolNotFoundError: g++ is missing.
            SimulationError: it did not compile; holds the log's last lines.
        """
        folder = Path(model.config.get_output_dir())
        return str(library.compile_project(library.fresh_project(model), folder / library.LOG))

    def predict(
        self,
        model: Any,
        x: Any,
        sim: Literal["csim", "rtl", "hls"] = "csim",
        *,
        skip: bool | None = None,
        logits: bool = False,
        hls_tool: str | None = None,
        **unknown: Any,
    ) -> NDArray[np.float64]:
        """Return the outputs of consecutive frames, values in float64 ``[T, *output shape]``, exact.

        If the Keras model ends with a softmax, sigmoid or tanh, hardware ends with its logits, and these are given to a
        softmax of the last axis, a sigmoid or a tanh, in float64 on the host.

        State persists between calls (of the same ``sim`` and ``skip``); ``model.reset()`` starts a new stream.

        Args:
            model: converted with this backend; for csim also compiled.
            x: frames ``[T, *shape]``: floats are values on the input lattice; integers are codes if the input layer was
                given a Precision, and otherwise values.
            sim: 'csim' runs the compiled HLS project and sets ``model.csim_stats``; 'rtl' runs the Verilated RTL and
                sets ``model.rtl_stats``; 'hls' runs the Verilog that an HLS compiler makes of the project and sets
                ``model.hls_stats``.
            skip: False runs the RTL's dense baseline: the same outputs, slower. Only of ``sim='rtl'``.
            logits: True leaves out one at the end: exactly what the hardware computed.
            hls_tool: 'vitis' or 'bambu', where both are on PATH. Only of ``sim='hls'``.
            unknown: arguments that do not exist.

        Raises:
            ToolNotFoundError: ``sim='hls'`` without a compiler.
            SynthesisError: the compiler failed.
            FrameError: see `codesign.hls4ml_plugin.frames.frame_codes`.
            SimulationError: not compiled, or the simulation failed.
            ConfigError: another ``sim``, ``skip=False`` without the RTL, or an unknown argument.
            ConversionError: the model was not converted in this process (``link_existing_project``).
        """
        if getattr(model, "delta_graph", None) is None:
            raise ConversionError("this model has no delta graph", fix="convert it from Keras with backend='Delta'")
        calls.check_predict(sim, skip, logits, hls_tool, unknown)
        codes = frame_codes(model.delta_graph, x)
        if sim == "csim":
            values = csim.run(model, codes)
        elif sim == "hls":
            values = simulators.run_hls(model, codes, hls_tool)
        else:
            values = simulators.run_rtl(model, codes, skip=skip is None or bool(skip))
        return HOST[model.on_host](values) if model.on_host and not logits else values

    def build(self, model: Any, synth: str = "yosys", target: str | None = None, **options: Any) -> dict[str, Any]:
        """Synthesise, and return a report.

        Args:
            model: hls4ml ModelGraph.
            synth: 'yosys' (the RTL), 'vivado' (the RTL) or 'vitis' (the HLS project).
            target: 'ecp5' or 'xc7' for Yosys, a part for Vivado. None: 'ecp5', and the part of the model.
            options: further arguments: of `codesign.synth.synthesise`, or see `codesign.synth.builders`.

        Raises:
            ConfigError: another ``synth``, or an option that it does not have.
            ToolNotFoundError: the tool is not installed.
            SynthesisError: it failed.
        """
        builder = calls.builder(synth, options)
        if not Path(model.config.get_output_dir()).exists():
            model.write()
        figures: dict[str, Any] = builder.run(model, target, options)
        return figures


def softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax of the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``1 / (1 + exp(-values))``."""
    powers = np.exp(-np.abs(values))
    shares: NDArray[np.float64] = np.where(values < 0, powers, 1.0) / (1 + powers)
    return shares


HOST: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}
"""What ends a model and is computed on the host."""


def install_on_vitis() -> None:
    """Let stock backend Vitis convert and csim models whose linear layers have Strategy 'delta'.

    Such a project has no reset argument: its stream starts at power-up, which in csim is compile().
    """
    vitis = get_backend("Vitis")
    templates.install(vitis)
    requires = get_flow("vitis:ip").requires
    if "delta:lower" not in requires:
        requires.insert(0, "delta:lower")
        requires.insert(requires.index("vivado:specific_types") + 1, "delta:tokens")
