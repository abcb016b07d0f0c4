# SPDX-License-Identifier: Apache-2.0
"""Labelled clips: moving handwritten digits, or folders of ordinary video files. One interface, no TensorFlow."""

from codesign.data.clips import ClipDataset, Clips
from codesign.data.config import DataConfig
from codesign.data.digits import moving_digits
from codesign.data.video import read_video, video_folder

__all__ = ["ClipDataset", "Clips", "DataConfig", "moving_digits", "read_video", "video_folder"]
