# SPDX-License-Identifier: Apache-2.0
"""A Keras model as the calls it is made of: in order, nested models opened, operations such as ``a + b`` as layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codesign.errors import ConversionError, UnsupportedLayerError
from codesign.keras_model.operations import as_layer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tensor:
    """A tensor between two calls.

    Attributes:
        name: name of the tensor, unique in the model.
        shape: with the batch first, ``[None, ...]``.
        dtype: as Keras names it.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One use of a layer.

    Attributes:
        name: name of the call, unique in the model: the layer's, after the name of the model around it where another
            layer has it too, with a number where the layer is used again.
        layer: Keras layer. An operation that is a layer under another name is that layer, not built; any other
            operation, and a nested model without a graph, is given as it is.
        node: node of the Keras graph: the user's own operation, and the arguments that it is called with.
        inputs: what it reads.
        outputs: what it makes.
    """

    name: str
    layer: Any
    node: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def kind(self) -> str:
        """Class of the layer."""
        return type(self.layer).__name__

    @property
    def is_operation(self) -> bool:
        """Whether the user wrote an operation, such as ``a + b`` or ``keras.ops.relu(a)``, and no layer."""
        import keras

        return not isinstance(self.node.operation, keras.Layer)

    def arguments(self, inputs: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of the user's own operation, with ``inputs`` in the place of what it reads."""
        read = self.node.arguments.keras_tensors
        args, kwargs = self.node.arguments.fill_in(
            {id(tensor): value for tensor, value in zip(read, inputs, strict=True)}
        )
        return args, kwargs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calls:
    """A model of one input and one output.

    Attributes:
        name: name of the model.
        calls: calls in order; the first is the `keras.layers.InputLayer`. What does not reach the output is left out.
        output: output of the model.
    """

    name: str
    calls: tuple[Call, ...]
    output: Tensor

    def run(self, frame: Any, call: Callable[[Call, Any], Any]) -> Any:
        """Return what the model makes of ``frame`` if ``call(call, inputs)`` stands for every layer.

        ``inputs`` is what the layer is to be called with: one tensor, or a list of several.
        """
        values = {self.calls[0].outputs[0]: frame}
        for each in self.calls[1:]:
            inputs = [values[tensor] for tensor in each.inputs]
            values[each.outputs[0]] = call(each, inputs[0] if len(inputs) == 1 else inputs)
        return values[self.output]


def calls_of(model: Any) -> Calls:
    """Return the calls that ``model`` makes in inference; nothing in it is changed or called.

    Raises:
        ConversionError: not a built Keras 3 model with a graph of layers and fixed sizes, or one without layers.
        UnsupportedLayerError: several inputs or outputs.
    """
    functional = _graph_of(model)
    if functional is None:
        raise _no_graph(model)
    _check_ends(model, functional)
    walk = _Walk()
    (output,) = walk.open(functional, None, ())
    needed, calls = {output}, []
    for call in reversed(walk.calls):
        if needed.intersection(call.outputs):
            needed.update(call.inputs)
            calls.append(call)
    if len(calls) < 2:
        raise _empty(str(model.name))
    return Calls(name=str(model.name), calls=_named(calls[::-1], walk.around), output=output)


class _Walk:
    """Collects calls; `around` are the names of the models around each."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.around: dict[Call, tuple[str, ...]] = {}
        self.count = 0

    def open(self, functional: Any, given: Sequence[Tensor] | None, around: tuple[str, ...]) -> list[Tensor]:
        """Append the calls of ``functional`` on ``given`` tensors (None: on new inputs) and return its outputs."""
        known: dict[int, Tensor] = {}
        if given is not None:
            known = {id(tensor): new for tensor, new in zip(functional.inputs, given, strict=True)}
        waiting = _nodes(functional)
        while waiting:
            ready = next((n for n in waiting if all(id(t) in known for t in n.arguments.keras_tensors)), None)
            if ready is None:
                break
            waiting.remove(ready)
            if ready.is_input and given is not None:
                continue
            for tensor, new in zip(ready.outputs, self._call(ready, known, around), strict=True):
                known[id(tensor)] = new
        return [known[id(tensor)] for tensor in functional.outputs]

    def _call(self, node: Any, known: dict[int, Tensor], around: tuple[str, ...]) -> Sequence[Tensor]:
        inputs = [known[id(tensor)] for tensor in node.arguments.keras_tensors]
        inner = _graph_of(node.operation)
        if inner is not None and _takes(inner, node, inputs):
            return self.open(inner, inputs, (*around, node.operation.name))
        outputs = tuple(self._tensor(tensor.shape, tensor.dtype) for tensor in _outputs(node, inputs))
        layer = as_layer(node, [tensor.shape for tensor in inputs], [tensor.shape for tensor in outputs])
        call = Call(name="", layer=layer, node=node, inputs=tuple(inputs), outputs=outputs)
        self.calls.append(call)
        self.around[call] = around
        return outputs

    def _tensor(self, shape: Any, dtype: str) -> Tensor:
        self.count += 1
        return Tensor(name=f"tensor_{self.count}", shape=tuple(shape), dtype=dtype)


def _graph_of(model: Any) -> Any:
    """Return the functional model inside a Keras model; None if it has none, or a ``call`` of its own."""
    import keras
    from keras.src.models.functional import Functional

    if isinstance(model, keras.Sequential):
        return model._functional if type(model).call is keras.Sequential.call else None
    return model if isinstance(model, Functional) and type(model).call is Functional.call else None


def _nodes(functional: Any) -> list[Any]:
    """Return the nodes of a functional model in the order in which hls4ml looks at them."""
    ours = {id(node) for nodes in functional._nodes_by_depth.values() for node in nodes}
    return [node for operation in functional.operations for node in operation._inbound_nodes if id(node) in ours]


def _takes(inner: Any, node: Any, given: Sequence[Tensor]) -> bool:
    """Return whether a nested model reads the ``given`` tensors as they are."""
    wanted, kinds = inner.inputs, (dict, list | tuple)
    alike = any(
        all(isinstance(each, kind) for each in (node.arguments.args[0], inner._inputs_struct)) for kind in kinds
    )
    return (
        len(wanted) == len(given)
        and (alike or len(given) == 1)
        and all(
            len(want.shape) == len(have.shape)
            and all(size in (None, real) for size, real in zip(want.shape[1:], have.shape[1:], strict=True))
            and (want.dtype == have.dtype or ("float" in want.dtype and "float" not in have.dtype))
            for want, have in zip(wanted, given, strict=True)
        )
    )


def _outputs(node: Any, inputs: Sequence[Tensor]) -> Sequence[Any]:
    """Return tensors with the shapes that ``node`` makes of ``inputs``; nested models may have open ones."""
    import keras

    if not any(None in tensor.shape[1:] for tensor in node.outputs) or not inputs:
        return list(node.outputs)
    new = {
        id(tensor): keras.KerasTensor(known.shape, known.dtype)
        for tensor, known in zip(node.arguments.keras_tensors, inputs, strict=True)
    }
    args, kwargs = node.arguments.fill_in(new)
    return list(keras.tree.flatten(node.operation.compute_output_spec(*args, **kwargs)))


def _named(calls: Sequence[Call], around: dict[Call, tuple[str, ...]]) -> tuple[Call, ...]:
    """Return ``calls`` with names; layers of the outermost model come first, as theirs are what users write."""
    names: dict[Call, str] = {}
    first: dict[int, str] = {}
    taken: set[str] = set()
    for call in sorted(calls, key=lambda call: len(around[call])):
        own, models = str(call.layer.name), [*around[call]]
        while id(call.layer) not in first and own in taken and models:
            own = f"{models.pop()}_{own}"
        own = first.setdefault(id(call.layer), own)
        name, number = own, 0
        while name in taken:
            name, number = f"{own}_{number}", number + 1
        taken.add(name)
        names[call] = name
    return tuple(replace(call, name=names[call]) for call in calls)


def _empty(where: str) -> ConversionError:
    return ConversionError(
        "the model has no layers that compute",
        where=where,
        expected="at least one layer after the input",
        fix="add the layers of the network, for instance qkeras.QActivation and qkeras.QDense",
    )


def _no_graph(model: Any) -> ConversionError:
    """Return the error that ``model`` is no graph of layers."""
    import keras

    where, kind, module = str(getattr(model, "name", "model")), type(model).__name__, type(model).__module__
    received = f"{kind} of {module}"
    if isinstance(model, keras.Sequential) and type(model).call is keras.Sequential.call:
        what, received = "the model is not built", "keras.Sequential without an input"
        fix = "start it with keras.Input(shape), or call model.build((None, *shape))"
        if not model.layers:
            return _empty(where)
        if model.built:
            what, fix = (
                "the model has no graph of layers",
                "build it from layers alone, starting with keras.Input(shape)",
            )
    elif isinstance(model, keras.Model):
        what = "a subclassed model has no graph of layers, only its call()"
        fix = "make one: frame = keras.Input(shape); keras.Model(frame, model.call(frame))"
    elif isinstance(model, keras.Layer):
        what, fix = "a layer, not a model", "use keras.Sequential([keras.Input(shape), layer])"
    elif isinstance(model, str) or hasattr(model, "__fspath__"):
        what, where, received = "a name, not a model", "model", repr(str(model))
        fix = "load it first: keras.models.load_model(path)"
    elif isinstance(model, dict) or module.split(".")[0] in ("tf_keras", "tensorflow"):
        what, where = "a model of Keras 2", where if where != "model" else "model"
        fix = "build it again with Keras 3 (import keras) and copy the weights: new.set_weights(old.get_weights())"
    else:
        what, where, fix = "not a Keras model", "model", "give a built keras.Model"
    expected = "a keras.Sequential that starts with keras.Input, or a functional keras.Model"
    return ConversionError(what, where=where, expected=expected, received=received, fix=fix)


def _check_ends(model: Any, functional: Any) -> None:
    """Check that there is one input of a fixed size and one output."""
    makers = [
        [str(tensor._keras_history.operation.name) for tensor in tensors]
        for tensors in (functional.inputs, functional.outputs)
    ]
    if any(len(names) != 1 for names in makers):
        several = " and ".join(
            f"{len(names)} {end} ({', '.join(names)})"
            for end, names in zip(("inputs", "outputs"), makers, strict=True)
            if len(names) != 1
        )
        one = f"keras.Model(model.input, model.get_layer({makers[1][-1]!r}).output)"
        fix = f"convert one network per output, such as {one}, or join them with Concatenate"
        if len(makers[0]) > 1:
            fix = f"give {', '.join(makers[0])} as parts of one frame, or convert the branch of each as a network"
        raise UnsupportedLayerError(
            "a delta network has one input and one output", where=model.name, received=several, fix=fix
        )
    shape, name = tuple(functional.inputs[0].shape), makers[0][0]
    if len(shape) < 2 or not all(shape[1:]):
        known = ", ".join(str(size or 32) for size in shape[1:]) or "8"
        raise ConversionError(
            "hardware is made for frames of one size",
            where=name,
            expected="a size for every axis of a frame",
            received=f"shape {shape}, the batch first",
            fix=f"build the model on fixed sizes, such as keras.Input(({known},)); the weights stay: "
            "new.set_weights(old.get_weights())",
        )
