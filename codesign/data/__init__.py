# SPDX-License-Identifier: Apache-2.0
"""Labelled clips: moving handwritten digits, folders of ordinary video files, UCF101. One interface, no TensorFlow."""

from codesign.data.clips import ClipDataset, Clips, ClipSource
from codesign.data.config import DataConfig
from codesign.data.digits import moving_digits
from codesign.data.drawn import drawn_folder
from codesign.data.folder import video_folder
from codesign.data.streamed import StreamedClips
from codesign.data.ucf101 import ucf101
from codesign.data.video import read_video

__all__ = [
    "ClipDataset",
    "ClipSource",
    "Clips",
    "DataConfig",
    "StreamedClips",
    "drawn_folder",
    "moving_digits",
    "read_video",
    "ucf101",
    "video_folder",
]
