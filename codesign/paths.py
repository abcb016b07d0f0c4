# SPDX-License-Identifier: Apache-2.0
"""Where the files shipped with the package are, in a wheel and in an editable install."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
RTL = PACKAGE / "rtl"


def hls_templates() -> Path:
    """Return the folder of ``nnet_delta_*.h``: package data in a wheel, the top folder in a checkout."""
    packaged = PACKAGE / "hls_templates"
    return packaged if packaged.is_dir() else PACKAGE.parent / "hls_templates"


def pynq_driver() -> Path:
    """Return the driver for a PYNQ board: package data in a wheel, in ``flows/pynq`` in a checkout."""
    packaged = PACKAGE / "pynq" / "delta_board.py"
    return packaged if packaged.is_file() else PACKAGE.parent / "flows" / "pynq" / "delta_board.py"


def boards() -> Path:
    """Return the folder of the board files: package data in a wheel, ``flows/boards`` in a checkout."""
    packaged = PACKAGE / "board_files"
    return packaged if packaged.is_dir() else PACKAGE.parent / "flows" / "boards"
