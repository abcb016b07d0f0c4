# SPDX-License-Identifier: Apache-2.0
"""The ``[model]`` and ``[training]`` sections of a design."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from codesign.errors import ConfigError
from codesign.records import Problems, check, limited

NETWORK, KERAS = ("network",), ("keras",)
"""Kinds of models, as fields name them that only one of them uses."""
POOLS = ("maxpool", "avgpool")
LOSSES = ("delta", "spatial")
"""Methods with a sparsity loss."""
DEPLOYED = ("delta", "hold")
"""Methods whose sparsity is counted as hardware skips."""
TRAINED = (
    *("weight_bits", "input_bits", "input_hold_steps", "activation_bits", "hold_steps", "activation_step", "step_per"),
    *("step_rate", "train_hold"),
)
"""Keys of `ModelConfig` for what is trained: a network, and a model of others with a ``head``."""
CALIBRATED = ("agreement", "tolerance", "labels")
"""Keys for what is only calibrated."""
MODEL = "model.keras"
"""The trained frame model in the folder of a training: what gets deployed."""
RESULTS = "training.json"
"""Accuracy and operation sparsity of the networks beside it, and the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockConfig:
    """``[[model.blocks]]``: a piece of a convolutional network. `ModelConfig` checks it, since it knows its place.

    ======================  =====================================================================================
    kind of block *n*       layers (``delta`` stands for a `DeltaActivation`)
    ======================  =====================================================================================
    ``conv``                ``conv<n>``, delta
    ``separable``           ``dw<n>`` (depthwise), delta, ``pw<n>`` (kernel 1), delta
    ``residual``            ``res<n>_a``, delta, ``res<n>_b``, sum with the block's input, delta; the input goes
                            through ``res<n>_skip`` (kernel 1) where the block changes its shape
    ``maxpool``             ``pool<n>``
    ``avgpool``             ``pool<n>``, delta
    ======================  =====================================================================================

    Convolutions pad with zeros (Keras ``same``); a pool leaves out what its last window does not fit on (``valid``).

    Attributes:
        kind: kind of block, see above.
        filters: output channels; needed, except by a pool, which keeps the channels it reads.
        kernel: height and width of the sliding window.
        stride: stride of the first layer of the block, in both directions.
    """

    kind: Literal["conv", "separable", "residual", "maxpool", "avgpool"]
    filters: int | None = limited(None, at_least=1, at_most=4096)
    kernel: int = limited(3, at_least=1, at_most=32)
    stride: int = limited(1, at_least=1, at_most=32)

    def check(self, where: str) -> None:
        """Check the block.

        Raises:
            ConfigError: a value is out of range, or the kind of block cannot have it; ``where`` is the block's key.
        """
        if self.kind in POOLS:
            if self.filters is not None:
                raise ConfigError(
                    "a pool keeps the channels it reads",
                    where=f"{where}.filters",
                    expected="nothing",
                    received=self.filters,
                    fix="remove the key",
                )
        elif self.filters is None:
            raise ConfigError(
                "missing", where=f"{where}.filters", expected=f"output channels of the {self.kind} block", fix="add it"
            )
        check(self, where)
        if self.kind == "avgpool" and self.kernel & (self.kernel - 1):
            raise ConfigError(
                "the mean of a window is not exact",
                where=f"{where}.kernel",
                expected="a power of two, so that dividing by its square is a shift",
                received=self.kernel,
                fix="use 2 or 4",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerConfig:
    """``[model.layer.<name>]``: what differs for a layer and the activation behind it; None is as in ``[model]``.

    Attributes:
        weight_bits: bits of a weight.
        activation_bits: bits of a code of the activation behind the layer.
        hold_steps: hold of that activation in steps; 0 for memoryless.
    """

    weight_bits: int | None = limited(None, at_least=2, at_most=16)
    activation_bits: int | None = limited(None, at_least=1, at_most=16)
    hold_steps: float | None = None

    def check(self, where: str) -> None:
        """Check the values.

        Raises:
            ConfigError: one is out of range; ``where`` is the layer's key.
        """
        check(self, where)
        check_hold(self.hold_steps or 0.0, f"{where}.hold_steps")


def check_hold(steps: float, where: str) -> None:
    """Check a hold.

    Raises:
        ConfigError: it is neither 0 nor one that an activation can have.
    """
    if steps != 0 and not 0.5 <= steps <= 64:
        raise ConfigError("out of range", where=where, expected="0, or 0.5 to 64", received=steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """A network: an input quantiser, convolutional blocks if any, dense layers, one output per class.

    Every weight is quantised (`QConv2D`, `QDepthwiseConv2D`, `QDense`), and a `DeltaActivation` stands in front of
    every layer that multiplies.

    Or, ``kind = "keras"``: a network that others trained, from a file: calibrated on the clips (see
    `codesign.calibration`), or with ``head`` trained further, as ``[training]`` says (`codesign.training.pretrained`).
    The keys from ``weight_bits`` on, but for those of fixed formats, are for what is trained.

    Attributes:
        kind: ``network``, built of the keys below and trained; or ``keras``, a float model.
        path: a model file, see `codesign.load_model`. For ``keras``, as the next five.
        head: train it further: ``own``, its outputs are the classes of the clips, or ``new``: its last layer with
            weights gets an output for each class, and starts anew. None: nothing is trained.
        input_range: what the model was trained to read for pixels of 0 and of 255.
        agreement: share of frames in which the delta network is to answer as the float model does.
        tolerance: of a model whose answer is not its largest output: difference that counts as the same, as a share of
            the range of its outputs.
        labels: the folders of the videos are the model's classes, in its order.
        blocks: convolutional blocks, in order; none for a dense network.
        hidden: outputs of each hidden dense layer, after the blocks.
        weight_bits: bits of a weight, sign included.
        weight_integer: integer bits of a weight, sign excluded (as in QKeras): weights in ``+-2**weight_integer``.
        bias_bits: bits of a bias, sign included.
        bias_integer: integer bits of a bias, sign excluded.
        input_bits: bits of an input code; the step is ``2**-input_bits``, so codes span the pixels' range.
        input_hold_steps: hold of the input quantiser in steps; 0 for memoryless.
        activation_bits: bits of a hidden activation's code.
        activation_step_log2: log2 of a hidden activation's step.
        hold_steps: hold of the hidden activations in steps; 0 for memoryless.
        activation_step: step of the hidden activations: ``fixed``, or trained from there in the last phase: ``po2`` in
            powers of two, which deploys, or ``real``, as in the paper, which does not.
        step_per: what has a trained step of its own.
        step_rate: factor on the learning rate with which trained steps and holds move.
        train_hold: train every hold that is not 0, one for each layer, the input's too.
        layer: bits and holds of single layers that differ (only of a ``network``).
    """

    kind: Literal["network", "keras"] = "network"
    path: Path | None = limited(None, kinds=KERAS)
    head: Literal["own", "new"] | None = limited(None, kinds=KERAS)
    input_range: tuple[float, ...] = limited((0.0, 1.0), kinds=KERAS)
    agreement: float = limited(0.99, at_least=0, at_most=1, kinds=KERAS)
    tolerance: float = limited(0.1, at_least=0, at_most=1, kinds=KERAS)
    labels: bool = limited(True, kinds=KERAS)
    blocks: tuple[BlockConfig, ...] = limited((), kinds=NETWORK)
    hidden: tuple[int, ...] = limited((64, 32), at_least=1, at_most=4096, kinds=NETWORK)
    weight_bits: int = limited(6, at_least=2, at_most=16)
    weight_integer: int = limited(0, at_least=-8, at_most=8, kinds=NETWORK)
    bias_bits: int = limited(12, at_least=2, at_most=24, kinds=NETWORK)
    bias_integer: int = limited(3, at_least=-8, at_most=16, kinds=NETWORK)
    input_bits: int = limited(4, at_least=1, at_most=8)
    input_hold_steps: float = limited(1.0)
    activation_bits: int = limited(6, at_least=1, at_most=16)
    activation_step_log2: int = limited(-3, at_least=-16, at_most=8, kinds=NETWORK)
    hold_steps: float = limited(0.0)
    activation_step: Literal["fixed", "po2", "real"] = limited("fixed")
    step_per: Literal["layer", "channel", "neuron"] = limited("channel")
    step_rate: float = limited(16.0, at_least=0.01, at_most=1000)
    train_hold: bool = limited(False)
    layer: dict[str, LayerConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for position, block in enumerate(self.blocks):
            block.check(f"model.blocks[{position}]")
        check(self, "model")
        if self.kind == "keras" and self.path is None:
            raise ConfigError("missing", where="model.path", expected="a model file: .keras, .h5, .json", fix="add it")
        if len(self.input_range) != 2 or not self.input_range[0] < self.input_range[1]:
            raise ConfigError(
                "not a range of pixels",
                where="model.input_range",
                expected="[low, high], such as [0, 1], [0, 255] or [-1, 1]",
                received=list(self.input_range),
            )
        if self.kind == "keras":
            self._check_head()
            if self.layer:
                raise ConfigError(
                    "this key is for a network that is built here",
                    where="model.layer",
                    expected='kind = "network", which uses it',
                    fix="remove it",
                )
        for name in ("input_hold_steps", "hold_steps"):
            check_hold(getattr(self, name), f"model.{name}")
        for name, layer in self.layer.items():
            layer.check(f"model.layer.{name}")
        holds = [self.hold_steps, self.input_hold_steps, *(layer.hold_steps for layer in self.layer.values())]
        if self.train_hold and not any(holds):
            raise ConfigError(
                "there is no hold to train",
                where="model.train_hold",
                expected="model.hold_steps or model.input_hold_steps from 0.5, where training starts",
                received="0 in both",
            )

    @property
    def trained(self) -> bool:
        """Whether ``[training]`` trains it."""
        return self.kind == "network" or self.head is not None

    def _check_head(self) -> None:
        """Refuse keys that do nothing: those of a calibration if the model is trained, and the other way round."""
        wrong, defaults = Problems(), {item.name: item.default for item in fields(self)}
        for name in CALIBRATED if self.trained else TRAINED:
            with wrong.collected():
                if getattr(self, name) != defaults[name]:
                    raise ConfigError(
                        "this key is for a model that is not trained" if self.trained else "this key is for training",
                        where=f"model.{name}",
                        expected="no model.head" if self.trained else 'model.head "own" or "new", and [training]',
                        fix="remove one of the two" if self.trained else "add it, or remove the key",
                    )
        wrong.check()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Phases on the same weights: float, quantised, and the one that ``method`` names. See `codesign.training.phases`.

    ================  =================================================  ==============================================
    ``method``        the last phase                                     what hardware skips, and sparsity counts
    ================  =================================================  ==============================================
    ``delta``         a loss on what changes                             what did not change
    ``dense``         no loss                                            zeros (the zero-skipping baseline)
    ``spatial``       an L1 loss on the activations                      zeros
    ``input_delta``   no loss                                            unchanged pixels, zeros after the first layer
    ``hold``          no loss and no hold; ``model`` has its holds only  what did not change
                      when it is done (post-training hold)
    ================  =================================================  ==============================================

    Only ``delta`` and ``hold`` deploy as they are counted; hardware of the others skips what does not change, too.

    Attributes:
        method: method of the last phase, see above.
        float_epochs: epochs of the float network.
        float_frames: frames that it is trained on of each clip: consecutive ones, drawn anew in each epoch. It has no
            memory, and frames of a clip look alike, so a few cost less and teach it nearly as much. 0: all.
        quantized_epochs: epochs of the quantised delta network without sparsity loss.
        delta_epochs: epochs of the refinement with it.
        short_epochs: epochs of a second refinement, on short clips, with the same loss at its full factor; 0 for none.
            The paper refines on 8 frames, then on 2.
        short_frames: frames of those clips: every clip is cut into as many as fit into it, one after the other.
        batch_size: clips in a step.
        learning_rate: learning rate at the start of the float phase; each phase falls to 0 along a cosine.
        refine_rate: learning rate at the start of the other two phases.
        optimizer: optimizer of every phase: ``adam``, or ``sgd`` with momentum 0.9, as in the paper (then
            ``model.step_rate`` 1).
        sparsity: factor of the loss of methods ``delta`` and ``spatial``; 0 for none.
        weights: what weighs the layers: ``macs``, as in the paper, or ``cycles``, which pushes the slowest layer.
        warmup_epochs: epochs of the last phase in which the factor grows from 0 to ``sparsity``.
        target_operation_sparsity: share of the MACs to skip; the factor is moved until it is met. None: it is fixed.
        target_cycles: cycles of the slowest layer in a mean frame to reach in the same way; None: none.
        early_stop: epochs without a better ``early_stop_on`` after which a phase ends; its network is then the one of
            its best epoch, also if it does not end early. Epochs of a warm-up do not count; a target has no best
            epoch, as its factor always moves, so the two are refused together. 0: every epoch, and the network of the
            last.
        early_stop_on: figure of the validation split that decides. The loss has the sparsity loss in it.
        devices: devices that share every batch evenly; 0: every GPU, or the processor if there is none.
        tensorboard: write logs for TensorBoard.
    """

    float_epochs: int = limited(6, at_least=1, at_most=10_000)
    float_frames: int = limited(0, at_least=0, at_most=10_000)
    quantized_epochs: int = limited(4, at_least=1, at_most=10_000)
    delta_epochs: int = limited(6, at_least=1, at_most=10_000)
    short_epochs: int = limited(0, at_least=0, at_most=10_000)
    short_frames: int = limited(2, at_least=2, at_most=10_000)
    batch_size: int = limited(32, at_least=1, at_most=65_536)
    learning_rate: float = limited(3e-3, at_least=1e-8, at_most=10)
    refine_rate: float = limited(1e-3, at_least=1e-8, at_most=10)
    optimizer: Literal["adam", "sgd"] = "adam"
    method: Literal["delta", "dense", "spatial", "input_delta", "hold"] = "delta"
    sparsity: float = limited(100.0, at_least=0, at_most=1e6)
    weights: Literal["macs", "cycles"] = "macs"
    warmup_epochs: int = limited(0, at_least=0, at_most=10_000)
    target_operation_sparsity: float | None = limited(None, at_least=0.0001, at_most=0.9999)
    target_cycles: float | None = limited(None, at_least=1, at_most=1e12)
    early_stop: int = limited(0, at_least=0, at_most=10_000)
    early_stop_on: Literal["val_loss", "val_accuracy"] = "val_loss"
    devices: int = limited(0, at_least=0, at_most=1024)
    tensorboard: bool = False

    def __post_init__(self) -> None:
        check(self, "training")
        if self.devices and self.batch_size % self.devices:
            raise ConfigError(
                "devices share a batch evenly",
                where="training.batch_size",
                expected=f"a multiple of {self.devices} devices",
                received=self.batch_size,
            )
        if self.float_frames == 1:
            raise ConfigError(
                "a clip has two frames or more", where="training.float_frames", expected="0, or from 2", received=1
            )
        self._check_schedule()

    def check_frames(self, frames: int) -> None:
        """Check that clips cut from those of ``frames`` frames are not longer.

        Raises:
            ConfigError: they are.
        """
        for key, used in (("short_frames", self.short_epochs), ("float_frames", True)):
            if used and getattr(self, key) > frames:
                raise ConfigError(
                    "short clips are cut from those of the data",
                    where=f"training.{key}",
                    expected=f"at most {frames}, the frames of a clip (data.frames)",
                    received=getattr(self, key),
                )

    @property
    def sees_cycles(self) -> bool:
        """Whether training depends on the cycles of the engines."""
        return self.weights == "cycles" or self.target_cycles is not None

    def _check_schedule(self) -> None:
        """Check that one thing at most moves the factor of the loss, and that there is a factor."""
        names = ("warmup_epochs", "target_operation_sparsity", "target_cycles")
        moved = [f"training.{name}" for name in names if getattr(self, name)]
        if len(moved) > 1:
            raise ConfigError(
                "two schedules move one factor", where=moved[1], expected=f"{moved[0]} without it", received="both"
            )
        if self.early_stop and moved and moved[0] != "training.warmup_epochs":
            raise ConfigError(
                "the best epoch may be one before the target is met",
                where="training.early_stop",
                expected=f"0 beside {moved[0]}",
                received=self.early_stop,
                fix="set a fixed training.sparsity, with training.warmup_epochs if need be, or no early_stop",
            )
        if moved and not (self.sparsity and self.method in LOSSES):
            raise ConfigError(
                "there is no sparsity loss to schedule",
                where=moved[0],
                expected=f"training.sparsity above 0 and training.method one of {', '.join(LOSSES)}",
                received=f"sparsity={self.sparsity}, method={self.method!r}",
            )
