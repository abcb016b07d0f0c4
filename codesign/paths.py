# SPDX-License-Identifier: Apache-2.0
"""Where things are: the parts of a build folder, and the files shipped with the package."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
RTL = PACKAGE / "rtl"


class BuildFolder:
    """Names in ``build/<design>``, the build folder of a design.

    A stage or a board in progress works in ``<its name>.partial``. ``cache`` holds tool builds that are found again by
    content hash; it is never an output and safe to delete. The folder of a board is called after its target, with
    ``_dense`` for a build without skipping and ``_hls`` for its HLS project through an HLS compiler.
    """

    MODEL = "1_model"
    GRAPH = "2_graph"
    HLS = "3_hls"
    RTL = "3_rtl"
    CSIM = "4_csim"
    RTLSIM = "4_rtlsim"
    COMPILED = "5_hls"
    SYNTH = "5_synth"
    REPORT = "6_report"
    BOARDS = "boards"
    CACHE = "cache"
    PARTIAL = ".partial"
    DENSE = "_dense"
    HLS_BUILD = "_hls"

    @classmethod
    def board(cls, target: str, *, skip: bool) -> str:
        """Return the name of the folder in ``boards`` for a target, with skipping or without."""
        return target if skip else f"{target}{cls.DENSE}"


def hls_templates() -> Path:
    """Return the folder of ``nnet_delta_*.h``: package data in a wheel, the top folder in a checkout."""
    packaged = PACKAGE / "hls_templates"
    return packaged if packaged.is_dir() else PACKAGE.parent / "hls_templates"


def pynq_driver(name: str = "delta_board.py") -> Path:
    """Return a driver for a PYNQ board: package data in a wheel, in ``flows/pynq`` in a checkout."""
    packaged = PACKAGE / "pynq" / name
    return packaged if packaged.is_file() else PACKAGE.parent / "flows" / "pynq" / name


def boards() -> Path:
    """Return the folder of the board files: package data in a wheel, ``flows/boards`` in a checkout."""
    packaged = PACKAGE / "board_files"
    return packaged if packaged.is_dir() else PACKAGE.parent / "flows" / "boards"
