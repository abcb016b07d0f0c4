# SPDX-License-Identifier: Apache-2.0
"""Every error the project raises on purpose.

::

    CodesignError
    |-- ConfigError            a TOML file, CLI option or hls4ml config entry is wrong
    |-- ConversionError        a model cannot become hardware exactly
    |   |-- UnsupportedLayerError
    |   |-- LatticeError       a value is not on a power-of-two lattice
    |   `-- AccumulatorRangeError
    |-- FrameError             a frame given to predict() has a wrong shape, dtype or range
    |-- VideoError             a video file or folder cannot be read
    |-- RecordingError         a NumPy file of frames, or a folder of them, cannot be read
    |-- OutputError            a file that was asked for cannot be written after all
    |-- StageError             a stage output is missing or was edited, or a stage failed
    |   `-- WorkersDiedError   every worker that did a certain thing died
    |-- ImageError             an image of a core is damaged, or made for another core
    |-- TrustError             a file could run code, or lead out of its folder: it is not opened
    |-- SimulationError        a simulation did not build, hung or broke a protocol rule
    |-- SynthesisError         a synthesis tool failed or printed no figures
    |-- BoardError             a board does not do what was asked of it
    |   |-- DesignMismatchError  it holds another design than the build folder
    |   |-- DisconnectedError    its port is gone
    |   |-- LinkError            bytes that are no packet, or no answer
    |   |-- NoNetworkError       a core waits for its network
    |   `-- StreamBrokenError    it may have lost the state of the stream: a new one has to start
    `-- ToolNotFoundError      a program is missing; names it and how to get it

    ConversionWarning          (a UserWarning) the hardware is exact, but something beside it may not be
    VideoWarning               (a UserWarning) a video is damaged; what decodes of it is used
    WorkerWarning              (a UserWarning) a worker of a cluster is not given any work, and why
    TrustWarning               (a UserWarning) something was compiled again because it is not known who compiled it

A message says what is wrong, where, what was expected, what was received and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CodesignError(Exception):
    """Base class of all errors raised on purpose by this project."""

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: object = None,
        received: object = None,
        fix: str | None = None,
    ) -> None:
        """Build the message ``where: what. Expected ... Received ... fix``."""
        parts = [f"{_printable(where)}: {what}" if where else what]
        if expected is not None:
            parts.append(f"Expected: {expected}.")
        if received is not None:
            parts.append(f"Received: {received}.")
        if fix is not None:
            parts.append(f"Next step: {fix}.")
        parts[0] = parts[0].rstrip(".") + "."
        super().__init__(" ".join(parts))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the finished message, so that an error can come back from another process."""
        return _restore, (type(self), self.args, self.__dict__)


def _printable(text: str) -> str:
    """Return a file's or a key's name in one line, as escapes where it is more than that."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _restore(kind: type[CodesignError], args: tuple[Any, ...], state: dict[str, Any]) -> CodesignError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class ConfigError(CodesignError):
    """A TOML file, command-line option or hls4ml configuration entry is wrong; or several are (`together`)."""

    several: tuple[str, ...] = ()
    """Each problem as a message of its own, if there are more than one."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Each problem as a message of its own."""
        return self.several or (str(self),)

    @classmethod
    def together(cls, problems: Sequence[str]) -> ConfigError:
        """Return one error for ``problems``, at least one, each a whole message; the error has one on each line."""
        error = cls("")
        error.args = ("\n".join(problems),)
        error.several = tuple(problems) if len(problems) > 1 else ()
        return error

    def inside(self, prefix: str) -> ConfigError:
        """Return the same with ``prefix`` before each problem: the file, or the part of it."""
        return ConfigError.together([f"{prefix}{problem}" for problem in self.problems])


class ConversionError(CodesignError):
    """A model cannot be turned into hardware that computes the same bits."""


class UnsupportedLayerError(ConversionError):
    """A layer, or an attribute of it, has no delta implementation."""


class LatticeError(ConversionError):
    """A weight, scale or step is not a power-of-two multiple of an integer."""


class AccumulatorRangeError(ConversionError):
    """An accumulator needs more bits than can be computed exactly everywhere."""


class FrameError(CodesignError):
    """A frame has a wrong shape, dtype or a value outside the input lattice."""


class VideoError(CodesignError):
    """A video file or folder is missing, corrupt or too short."""


class RecordingError(CodesignError):
    """A NumPy file of frames, or a folder of them, is missing, corrupt, too short or of another shape."""


class OutputError(CodesignError):
    """A file that was asked for cannot be written after all: the disk is full, its folder has gone."""


class StageError(CodesignError):
    """A stage output is missing or was edited, or the stage itself failed."""


class WorkersDiedError(StageError):
    """Every worker that was given a certain call died of it."""


class ImageError(CodesignError):
    """An image that a delta core was to load is damaged, cut off, or made for another core."""


class TrustError(CodesignError):
    """A file from outside could run code or lead out of its folder, so it is not opened."""


class SimulationError(CodesignError):
    """A simulation did not build, hung, or broke a protocol rule."""


class SynthesisError(CodesignError):
    """A synthesis or place-and-route tool failed, or reported no figures."""


class BoardError(CodesignError):
    """A board, real or simulated, does not do what was asked of it."""


class DesignMismatchError(BoardError):
    """The board holds another design than the build folder; the message names both."""


class DisconnectedError(BoardError):
    """The port of a board is gone: unplugged, switched off, or the simulation has ended."""


class LinkError(BoardError):
    """Bytes on the line to a board do not follow the protocol, or no answer came."""


class NoNetworkError(BoardError):
    """A core on a board has no network: none was loaded, a load was broken off, or it lost its power."""


class StreamBrokenError(BoardError):
    """What the board remembers of the stream is not known, so the next frame has to start a new one."""


class ToolNotFoundError(CodesignError):
    """A program is not installed; the message names it and how to get it."""

    def __init__(self, program: str, *, how: str, briefly: str | None = None) -> None:
        """Name the missing ``program`` and ``how`` to get it; ``briefly``: where a step is skipped for it."""
        super().__init__(f"{program} was not found", expected=f"{program} on PATH", fix=how)
        self.program, self.how = program, how
        self.briefly = briefly or f"{program} not on PATH"


class ConversionWarning(UserWarning):
    """The hardware is exact, but something it may be compared with is not, such as float32 Keras."""


class VideoWarning(UserWarning):
    """A video file is damaged or cut off: what decodes of it is used, and the message counts the rest.

    Attributes:
        about: the file. A command reports only the first warning about a file, as every pass may find other damage.
    """

    def __init__(self, text: str, about: str | None = None) -> None:
        """Keep the words and the file."""
        super().__init__(text)
        self.about = about or text


class TrustWarning(UserWarning):
    """A compiled library is not used, or not kept, because it is not known who compiled it."""


class WorkerWarning(UserWarning):
    """A worker of a cluster is not given any work: it has another version of this package, or does not see the data."""


class OldNameWarning(FutureWarning):
    """A key is written under the name that it had in an earlier version; it still works."""
