# SPDX-License-Identifier: Apache-2.0
"""A camera as uint8 frames, fitted as video files are: always the newest, so that a slow reader sees no old ones."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator

import av
import numpy as np
from numpy.typing import NDArray

from codesign.data.picture import Fit, check_fit, fitted
from codesign.errors import VideoError

DEVICE, DRIVER = "/dev/video0", "v4l2"
_SILENCE_S = 5.0


def camera_frames(
    device: str = DEVICE,
    size: tuple[int, int] = (32, 32),
    *,
    grey: bool = True,
    fit: Fit = "crop",
    driver: str = DRIVER,
) -> Generator[NDArray[np.uint8], None, None]:
    """Yield frames, uint8 ``[H, W, C]``, until the reader stops; what came and went while it was busy is skipped.

    Args:
        device: device name of the camera.
        size: (H, W) in pixels.
        grey: one channel of luma; otherwise three, RGB.
        fit: what is done with pictures of another shape, see `Fit`.
        driver: FFmpeg's input device.

    Raises:
        VideoError: there is no camera, it may not be used, or it stops.
        ConfigError: ``fit`` is not one of the ways.
    """
    check_fit("camera_frames", fit)
    try:
        container = av.open(device, format=driver)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            "the camera cannot be opened",
            where=device,
            received=str(error),
            fix="plug one in, or name its device: --video camera:/dev/videoN; a video file needs no camera",
        ) from None
    newest: deque[av.VideoFrame] = deque(maxlen=1)
    arrived, stop = threading.Event(), threading.Event()
    reader = threading.Thread(target=_read, args=(container, newest, arrived, stop), name="camera", daemon=True)
    reader.start()
    try:
        while arrived.wait(_SILENCE_S):
            arrived.clear()
            yield fitted(newest[-1], size, grey=grey, fit=fit, where=device)
        raise VideoError("the camera sends nothing any more", where=device, expected=f"a frame in {_SILENCE_S:g} s")
    finally:
        stop.set()
        reader.join(_SILENCE_S)
        if not reader.is_alive():
            container.close()


def _read(
    container: av.container.InputContainer,
    newest: deque[av.VideoFrame],
    arrived: threading.Event,
    stop: threading.Event,
) -> None:
    """Put every frame into ``newest``, in place of the one before, until the camera ends or ``stop``."""
    try:
        for frame in container.decode(video=0):
            newest.append(frame)
            arrived.set()
            if stop.is_set():
                return
    except av.FFmpegError:
        return  # the reader of the frames notices the silence
