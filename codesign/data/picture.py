# SPDX-License-Identifier: Apache-2.0
"""A decoded frame as a player shows it, upright and with square pixels, fitted into the pixels of a clip."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import av
import numpy as np
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

from codesign.errors import ConfigError, VideoError
from codesign.suggest import did_you_mean

Fit = Literal["crop", "pad", "stretch"]
"""How a picture of another shape is fitted: ``crop`` fills the frame and cuts off the rest, ``pad`` shows all of the
picture between black borders, ``stretch`` distorts it. Only ``stretch`` changes its proportions."""

_LONGEST = 64
"""Times the longer side of a picture may be as long as the shorter one, unless it is stretched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How a stored frame has to be turned to be upright: one of the eight symmetries of a rectangle.

    Attributes:
        transposed: rows become columns, first.
        flipped: then top and bottom are exchanged.
        mirrored: then left and right are exchanged.
    """

    transposed: bool = False
    flipped: bool = False
    mirrored: bool = False

    def apply(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the upright picture, ``[H, W, C]``, of one as stored."""
        upright = stored.swapaxes(0, 1) if self.transposed else stored
        return upright[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]


UPRIGHT = Pose()


def pose(frame: av.VideoFrame, where: str | None = None) -> Pose:
    """Return how a frame is shown, from the display matrix that its container or its codec gave it.

    Raises:
        VideoError: turned by an angle that is not a multiple of 90 degrees; names the file ``where``.
    """
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return UPRIGHT
    # A pixel at (x, y) is shown at (a*x + c*y, b*x + d*y); x goes right, y goes down.
    a, b, _, c, d, *_ = (int(value) for value in np.frombuffer(bytes(matrix), np.int32))
    along, across = max(abs(a), abs(d)), max(abs(b), abs(c))
    if not along and not across:
        return UPRIGHT
    if 20 * min(along, across) > max(along, across):  # 3 degrees
        raise VideoError(
            "the video is turned by an angle that is not a multiple of 90 degrees",
            where=where,
            received=f"a display matrix with {a}, {b}, {c}, {d}",
            fix="turn it upright with a program for videos",
        )
    if across > along:
        return Pose(transposed=True, flipped=b < 0, mirrored=c < 0)
    return Pose(flipped=d < 0, mirrored=a < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What part of a picture a cropped frame shows.

    Attributes:
        share: side of the window, as a share of the largest one that fits into the picture.
        row: place of the upper edge, from 0, the uppermost, to 1.
        column: place of the left edge, from 0, the leftmost, to 1.
    """

    share: float = 1.0
    row: float = 0.5
    column: float = 0.5


MIDDLE = Window()


def fitted(
    frame: av.VideoFrame,
    size: tuple[int, int],
    *,
    grey: bool,
    fit: Fit = "crop",
    aspect: Fraction = Fraction(1),
    window: Window = MIDDLE,
    where: str | None = None,
) -> NDArray[np.uint8]:
    """Return a frame as a player shows it, uint8 ``[H, W, C]``, scaled by area averaging in full range.

    Args:
        frame: as decoded. Frames of one video may differ in size: each is fitted.
        size: (H, W) in pixels.
        grey: one channel of luma; otherwise three, RGB.
        fit: see `Fit`.
        aspect: width of a stored pixel over its height.
        window: which part of the picture, where ``fit`` is ``crop``.
        where: the file, for errors.

    Raises:
        VideoError: the picture is too long and narrow, or turned by an odd angle.
    """
    turned = pose(frame, where)
    shown = (frame.height, frame.width * float(aspect))
    height, width = shown[::-1] if turned.transposed else shown
    if fit == "stretch":
        return _channels(_scaled(frame, size, turned), grey)
    if max(height, width) > _LONGEST * min(height, width):
        raise VideoError(
            "the picture is too long and narrow",
            where=where,
            expected=f"a longer side of at most {_LONGEST} times the shorter one",
            received=f"{width:.0f} x {height:.0f} pixels",
            fix='stretch it (fit = "stretch"), or cut it with a program for videos',
        )
    scales = size[0] / height, size[1] / width
    if fit == "pad":
        rows, columns = (
            min(size[0], max(1, round(min(scales) * height))),
            min(size[1], max(1, round(min(scales) * width))),
        )
        top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
        padded = np.zeros((*size, 3), np.uint8)
        padded[top : top + rows, left : left + columns] = _scaled(frame, (rows, columns), turned)
        return _channels(padded, grey)
    scale = max(scales) / window.share
    rows, columns = max(size[0], round(scale * height)), max(size[1], round(scale * width))
    top, left = place(window.row, rows - size[0]), place(window.column, columns - size[1])
    whole = _scaled(frame, (rows, columns), turned)
    return _channels(whole[top : top + size[0], left : left + size[1]], grey)


def place(share: float, last: int) -> int:
    """Return the integer 0 to ``last`` that lies at ``share`` of them: each has the same share."""
    return min(int(share * (last + 1)), last) if last > 0 else 0


def _scaled(frame: av.VideoFrame, size: tuple[int, int], turned: Pose) -> NDArray[np.uint8]:
    """Return the whole frame, upright, scaled to ``size``, in RGB."""
    height, width = size[::-1] if turned.transposed else size
    return turned.apply(frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA"))


def _channels(rgb: NDArray[np.uint8], grey: bool) -> NDArray[np.uint8]:
    """Return RGB as it is, or BT.601 luma, ``[H, W, 1]``, in integers so that it is the same everywhere."""
    if not grey:
        return np.ascontiguousarray(rgb)
    weighted = rgb.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
    return ((weighted + 32768) >> 16).astype(np.uint8)[..., None]


def check_fit(where: str, fit: object) -> None:
    """Check the argument ``fit``.

    Raises:
        ConfigError: there is no such way; names the one that was probably meant.
    """
    if fit not in get_args(Fit):
        raise ConfigError(
            "fit is not one of the ways to fit a picture",
            where=where,
            expected=", ".join(map(repr, get_args(Fit))),
            received=repr(fit),
            fix=did_you_mean(fit, get_args(Fit)) if isinstance(fit, str) else None,
        )
