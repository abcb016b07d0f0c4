# SPDX-License-Identifier: Apache-2.0
"""A network for a delta core on a PYNQ board: its image, ``NAME.core``, and what ``NAME.core.json`` says of it.

Everything is checked here, before anything is sent to the core.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from delta_board import BoardError

LARGEST = 1 << 26
"""Bytes of a transfer are fewer (the length register of the DMAs)."""


class Network:
    """A network that fits a core.

    Attributes:
        path: its image.
        image: its words, uint32 [N].
        design: its id, which the core reports once it holds it.
        frame, packet: shape, beats and layout of what goes in and comes out; of a frame also the range of its codes.
        given_at, taken_at: where the elements of a frame and of its packet are in their beats, [size].
        steps, engines: names of what the core counts.
    """

    def __init__(self, path: Path, image: np.ndarray, about: dict[str, Any], lanes: int) -> None:
        self.path, self.image, self.design = path, image, int(about["design"])
        self.frame, self.packet = about["frame"], about["packet"]
        self.given_at, self.taken_at = _places(self.frame, lanes), _places(self.packet, lanes)
        self.steps, self.engines = about["steps"], about["engines"]

    def codes(self, frame: np.ndarray) -> np.ndarray:
        """Return the codes of a frame, flat.

        Raises: ValueError for codes that the network cannot take.
        """
        side = self.frame
        if frame.size != len(self.given_at) or not np.issubdtype(frame.dtype, np.integer):
            raise ValueError(f"a frame is integers of shape {side['shape']}, received {frame.dtype} {frame.shape}")
        if frame.min() < side["lo"] or frame.max() > side["hi"]:
            raise ValueError(
                f"codes are {side['lo']} to {side['hi']}, received {int(frame.min())} to {int(frame.max())}"
            )
        return frame.reshape(-1)


def network_in(path: Path, design: dict[str, Any]) -> Network:
    """Return the network in an image for the core that ``design.json`` describes.

    Raises: BoardError if the image cannot be read, is damaged, made for another core, or too large for this one.
    """
    beside = path.with_name(f"{path.name}.json")
    for file in (path, beside):
        if not file.is_file():
            raise BoardError(f"{file} is missing. Copy it here: image and description are written together.")
    content = path.read_bytes()
    image = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    why = _why_not(len(content), image, design)
    if why is None:
        about: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
        if about["crc"] != int(image[-1]):
            raise BoardError(f"{beside} is of another image. Copy both again.")
        why = _too_large(about["needs"], design["limits"])
        if why is None:
            return Network(path, image, about, design["core"]["quantisers"])
    raise BoardError(
        f"{path}: {why}. Nothing was sent. Make it for this core: codesign core build/DESIGN --target BOARD "
        "--output NAME.core."
    )


def _why_not(size: int, image: np.ndarray, design: dict[str, Any]) -> str | None:
    """Return why an image of so many bytes is none for a core; None: it may be one."""
    known, names = design["image"], design["image"]["header"]
    if size % 4 or len(image) < len(names) + 2:
        return f"cut off, or no image: {size} bytes"
    header = {name: int(image[at]) for at, name in enumerate(names)}
    if header["magic"] != known["magic"]:
        return f"no image of a network: its first word is {header['magic']:08x}, expected {known['magic']:08x}"
    if header["version"] != known["version"]:
        return f"an image of version {header['version']}; this core takes version {known['version']}"
    if header["geometry"] != design["geometry"]:
        return (
            f"an image for a core of other lanes or widths: geometry {header['geometry']:08x}, this core has "
            f"{design['geometry']:08x} ({design['geometry_text']})"
        )
    crc = zlib.crc32(image[:-1].tobytes())
    if crc != int(image[-1]):
        return f"damaged or cut off: CRC-32 {crc:08x}, its last word says {int(image[-1]):08x}"
    if size >= LARGEST:
        return f"{size:,} bytes, and a DMA moves fewer than {LARGEST:,}"
    return None


def _too_large(needs: dict[str, int], limits: dict[str, int]) -> str | None:
    """Return what of a core is too small for a network; None: nothing."""
    over = [f"{name} = {need:,} of {limits[name]:,}" for name, need in needs.items() if need > limits[name]]
    return f"the network does not fit the memories of this core: {', '.join(over)}" if over else None


def _places(side: dict[str, Any], lanes: int) -> np.ndarray:
    """Return where the elements of a frame are in its beats of so many lanes, [size].

    A position has ``channels`` channels in groups of ``used`` lanes; each group begins a beat.
    """
    position, channel = np.divmod(np.arange(side["positions"] * side["channels"]), side["channels"])
    group, lane = np.divmod(channel, side["used"])
    groups, parts = -(-side["channels"] // side["used"]), -(-side["used"] // lanes)
    return np.asarray((position * groups + group) * parts * lanes + lane)
