# SPDX-License-Identifier: Apache-2.0
"""`Pretrained`: the networks to train of a model that others trained, with its own outputs or with new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from codesign.calibration.checks import check_model
from codesign.data.clips import ClipDataset, ClipSource, to_values
from codesign.data.recording import printable
from codesign.errors import ConfigError
from codesign.keras_model.calls import Call, calls_of
from codesign.keras_model.kinds import LINEAR, ending_of
from codesign.layers import DeltaActivation, delta
from codesign.layers.anew import copied, fresh_input
from codesign.layers.equalize import equalize
from codesign.layers.fold import fold_pixels
from codesign.layers.load import load_model
from codesign.training.config import ModelConfig
from codesign.training.feed import in_format
from codesign.training.network import Stateless
from codesign.training.phases import Phase

SAMPLES = 16
"""Training clips, spread over all of them, that set the steps of the activations."""
WIDTHS = {"Dense": "units", "QDense": "units", "Conv2D": "filters", "QConv2D": "filters"}
"""What the number of outputs of a layer that can be the head is called."""


class Pretrained:
    """A model file and the networks that are made of it.

    The float network is the model, folded: no normalisation follows the batches of a few clips. Its channels are
    equalised, so that a step of an optimiser changes none of them much more than others. It ends in logits. Delta
    networks are made of it, with the weights that its training ended with, by `codesign.layers.delta`.

    Args:
        config: file, head and formats.
        dataset: clips to train with.
        seed: seed of a new head.

    Attributes:
        fmt: format of the pixels that the float network reads.

    Raises:
        StageError, TrustError: the model cannot be read.
        UnsupportedLayerError: layers that do not become hardware; names all of them.
        ConfigError: the clips do not fit its input, the classes not its outputs, or no layer can be replaced.
    """

    def __init__(self, config: ModelConfig, dataset: ClipDataset[ClipSource], seed: int) -> None:
        assert config.path is not None  # `ModelConfig` has checked
        self.config = config
        low, high = config.input_range
        model, own = load_model(config.path), dataset.classes if config.head == "own" else None
        check_model(model, frame=dataset.shape[1:], classes=own, input_range=(low, high))
        folded, self.fmt = fold_pixels(model, low, high)
        places = np.unique(np.linspace(0, len(dataset.train) - 1, SAMPLES).astype(int))
        self._samples: NDArray[np.uint8] = np.stack([dataset.train.pixels(int(place)) for place in places])
        equalize(folded, in_format(to_values(self._samples[:, 0]), self.fmt))
        self._float = float_network(folded, len(dataset.classes), config, seed)

    def network(self, phase: Phase, float_weights: Sequence[NDArray[Any]]) -> Any:
        """Return the network of ``phase``, from the weights of the trained float network if there is one yet."""
        network = keras.models.clone_model(self._float)
        network.set_weights(list(float_weights) or self._float.get_weights())
        if not phase.quantized:
            return network
        config = phase.model
        made = delta(
            network,
            weight_bits=config.weight_bits,
            activation_bits=config.activation_bits,
            input_bits=config.input_bits,
            step=config.activation_step,
            per=config.step_per,
            step_rate=config.step_rate,
            hold=config.hold_steps or None,
            input_hold=config.input_hold_steps or None,
            train_hold=config.train_hold,
            clips=self._samples,
            input_range=(self.fmt.lo * self.fmt.scale, self.fmt.hi * self.fmt.scale),
        )
        _mark(made, phase.stateless)
        return made


def float_network(folded: Any, classes: int, config: ModelConfig, seed: int) -> Any:
    """Return the float network of a folded model.

    With ``head = "new"`` the last layer with weights has ``classes`` outputs, drawn by ``seed``. One of
    `codesign.keras_model.kinds.ENDINGS` at the end is left out.

    Raises:
        ConfigError: what then comes out are not ``classes`` numbers.
    """
    calls = calls_of(folded)
    last = next((call for call in reversed(calls.calls) if call.kind in LINEAR), None)
    new = config.head == "new"
    if new and (last is None or last.kind not in WIDTHS):
        raise _headless(config, "no Dense or Conv2D is its last layer with weights" if last else "it has no weights")
    after = False

    def call(item: Call, given: Any) -> Any:
        nonlocal after
        if item.kind not in LINEAR and ending_of(item.layer):
            return given
        if item is last and new:
            after = True
            start = keras.initializers.GlorotUniform(seed=seed)
            changes: dict[str, Any] = {WIDTHS[item.kind]: classes, "kernel_initializer": start}
            return copied(item.layer, **changes)(given)
        if after and item.kind == "Reshape":
            return keras.layers.Flatten(name=item.name)(given)
        return item.layer(given)

    frame = fresh_input(folded)
    network = keras.Model(frame, calls.run(frame, call), name="float_network")
    if network.output_shape != (None, classes):
        raise _headless(config, f"what comes out is {list(network.output_shape[1:])}")
    return network


def _mark(network: Any, stateless: Stateless) -> None:
    """Mark activations of a delta network stateless; the input's is the first."""
    deltas = [layer for layer in network.layers if isinstance(layer, DeltaActivation)]
    for layer in {"none": [], "hidden": deltas[1:], "all": deltas}[stateless]:
        layer.stateless = True


def _headless(config: ModelConfig, received: str) -> ConfigError:
    return ConfigError(
        "the model has no head that can be replaced",
        where="model.head",
        expected="a model that ends in a Dense, or in a Conv2D whose outputs are the classes",
        received=f"{printable(config.path)}: {received}" if config.path else received,
        fix='end the model with a Dense, or train with its own outputs: head = "own"',
    )
