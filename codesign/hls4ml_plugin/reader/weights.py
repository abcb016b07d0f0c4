# SPDX-License-Identifier: Apache-2.0
"""The weights that a Keras layer computes with: its own quantizer objects on its own variables, each evaluated once.

hls4ml makes quantizers of its own from the configuration of a layer. That loses arguments that QKeras leaves out of a
configuration, and turns the -1 and +1 of a binary kernel into 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codesign.errors import ConversionError


class OwnWeight:
    """One quantised tensor of a Keras layer; hls4ml calls it in the place of its own quantizer.

    Args:
        layer: Keras layer.
        what: "kernel", "depthwise", "pointwise" or "bias", as in ``<what>_quantizer_internal``.
        variable: what the layer quantises: of the layer, or folded as by QConv2DBatchnorm.
    """

    def __init__(self, layer: Any, what: str, variable: Any) -> None:
        self.layer, self.what, self.variable = layer, what, variable
        self.kin: tuple[OwnWeight, ...] = (self,)
        self._tensor: Any = None

    @property
    def attribute(self) -> str:
        """Name of the attribute of the layer that holds the quantizer."""
        return f"{self.what}_quantizer_internal"

    @property
    def tensor(self) -> Any:
        """The quantised tensor, as Keras computes it in inference.

        Raises:
            ConversionError: the quantizer draws random numbers in inference, too, or cannot be called.
        """
        if self._tensor is None and len(self.kin) > 1:
            self._evaluate_all()
        elif self._tensor is None:
            self._tensor = self._evaluate(self.variable)
        return self._tensor

    @property
    def values(self) -> NDArray[np.float64]:
        """The same in NumPy."""
        return numpy_of(self.tensor)

    def __call__(self, _: Any) -> Any:
        """Return the quantised tensor, whatever hls4ml made of the variable."""
        return self.tensor

    def _evaluate_all(self) -> None:
        """Quantise the tensors of all `kin` at once: a call of a quantizer is slow, however few elements it has."""
        import keras

        parts = [keras.ops.convert_to_numpy(weight.variable) for weight in self.kin]
        whole = keras.ops.convert_to_numpy(self._evaluate(np.concatenate([part.ravel() for part in parts])))
        ends = np.cumsum([part.size for part in parts])[:-1]
        for weight, part, flat in zip(self.kin, parts, np.split(whole, ends), strict=True):
            weight._tensor = keras.ops.convert_to_tensor(flat.reshape(part.shape))

    def _evaluate(self, variable: Any) -> Any:
        quantizer = getattr(self.layer, self.attribute)
        try:
            tensor = quantizer(variable)
            again = tensor if _is_deterministic(quantizer) else quantizer(variable)
        except Exception as error:
            raise ConversionError(
                f"Keras cannot compute the quantised {self.what}",
                where=self.layer.name,
                expected="a quantizer that can be called with the layer's weights",
                received=f"{type(quantizer).__name__}: {type(error).__name__}: {(str(error) or '-').splitlines()[0]}",
                fix=f"use another {self.what}_quantizer, such as quantized_bits(bits, integer, alpha=1)",
            ) from error
        same = again is tensor or np.array_equal(numpy_of(tensor), numpy_of(again), equal_nan=True)
        if _is_random(quantizer) or not same:
            raise ConversionError(
                f"the {self.what} is drawn at random in inference, too: Keras itself computes something else each time",
                where=self.layer.name,
                expected="a quantizer that is deterministic in inference",
                received=type(quantizer).__name__,
                fix=f"use stochastic_binary, stochastic_ternary or quantized_bits as {self.what}_quantizer",
            )
        return tensor


def numpy_of(tensor: Any) -> NDArray[np.float64]:
    """Return a tensor or variable of Keras as float64."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor), dtype=np.float64)


def attach(parsed: dict[str, Any], key: str, weight: OwnWeight) -> None:
    """Let the hls4ml quantizer ``parsed[key]``, if there is one, return what the layer's own quantizer computes."""
    if parsed.get(key) is not None and weight.variable is not None:
        parsed[key].quantizer_fn = weight


def own_weight(layer: Any, what: str) -> OwnWeight | None:
    """Return what `attach` gave to the ``weight`` or ``bias`` of an hls4ml layer; None if nothing."""
    for key in ("weight_quantizer", "depthwise_quantizer") if what == "weight" else ("bias_quantizer",):
        found = getattr(layer.get_attr(key), "quantizer_fn", None)
        if isinstance(found, OwnWeight):
            return found
    return None


def share(layers: Iterable[dict[str, Any]]) -> None:
    """Let quantizers that do the same to each element on its own quantise their tensors together.

    Args:
        layers: configurations of hls4ml layers.
    """
    groups: dict[Any, list[OwnWeight]] = {}
    for quantizer in (value for config in layers for key, value in config.items() if key.endswith("_quantizer")):
        weight = getattr(quantizer, "quantizer_fn", None)
        if isinstance(weight, OwnWeight):
            groups.setdefault(elementwise(getattr(weight.layer, weight.attribute)), []).append(weight)
    for kind, weights in groups.items():
        if kind is not None:
            for weight in weights:
                weight.kin = tuple(weights)


@contextmanager
def known(weights: Iterable[OwnWeight]) -> Iterator[None]:
    """Let layers compute with quantised weights that were evaluated before, then put their quantizers back."""
    before = []
    try:
        for weight in weights:
            before.append((vars(weight.layer), weight.attribute, vars(weight.layer)[weight.attribute]))
            vars(weight.layer)[weight.attribute] = weight
        yield
    finally:
        for attributes, name, quantizer in reversed(before):
            attributes[name] = quantizer


def elementwise(quantizer: Any) -> Any:
    """Return what a quantizer does, if it is one of QKeras' that looks at one element at a time; else None."""
    kind = type(quantizer)
    if kind.__name__ not in ("quantized_bits", "quantized_relu") or not kind.__module__.startswith("qkeras"):
        return None
    state = {key: value for key, value in vars(quantizer).items() if key not in ("built", "scale", "var_name")}
    plain = all(value is None or isinstance(value, bool | int | float) for value in state.values())
    return (kind.__name__, *sorted(state.items())) if plain else None


def _is_random(quantizer: Any) -> bool:
    """Return whether a quantizer of QKeras draws random numbers in inference, too."""
    return type(quantizer).__name__ == "bernoulli"


def _is_deterministic(quantizer: Any) -> bool:
    """Return whether a quantizer is one of QKeras', of which `_is_random` knows; any other is called twice."""
    return type(quantizer).__module__.split(".")[0] == "qkeras"
