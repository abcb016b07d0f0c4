# SPDX-License-Identifier: Apache-2.0
"""A core as the fabric of a PYNQ board: Vivado's project, and what the driver on the board has to know of it.

The driver is ``flows/pynq/delta_core_board.py``, which takes what both drivers do from ``delta_board.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from codesign.core import registers as core_map
from codesign.core.beside import limits
from codesign.core.config import CoreConfig
from codesign.core.image import HEADER
from codesign.core.records import MAGIC, VERSION
from codesign.core.soc import (
    ADDRESS_BITS,
    CODE_BYTES,
    MEMORY,
    SOC_TOP,
    STREAM,
    STREAMS,
    STREAMS_VERSION,
    SUM_BYTES,
    core_soc_files,
)
from codesign.paths import pynq_driver
from codesign.synth.core_memory import core_with_ultra
from codesign.synth.vendor.pynq import DESIGN, DRIVER
from codesign.synth.vendor.vivado import Part, Project, Streams, zynq

CORE_DRIVERS = ("delta_core_board.py", "delta_core_network.py")


def core_overlay(
    config: CoreConfig,
    *,
    part: Part,
    clock_mhz: float,
    skip: bool = True,
    least_ultra_bits: int | None = None,
    jobs: int = 2,
) -> Project:
    """Return the project that makes ``design.bit`` and ``design.hwh`` of a core, with the files for the board.

    least_ultra_bits: as `codesign.synth.core_memory.core_plan` has it.
    Raises: ConfigError for a part without a processor or a core whose streams no DMA carries.
    """
    made = zynq(
        core_with_ultra(core_soc_files(config), least_ultra_bits),
        SOC_TOP,
        streams=Streams(in_bytes=CODE_BYTES * config.quantisers, out_bytes=SUM_BYTES * config.quantisers),
        address_bits=ADDRESS_BITS,
        part=part,
        clock_mhz=clock_mhz,
        skip=skip,
        loads=True,
        memory_bits=config.memory_bits,
        jobs=jobs,
    )
    return replace(made, files={**made.files, **core_driver(config)})


def core_driver(config: CoreConfig) -> dict[str, str]:
    """Return the files that go onto the board beside the bitstream: path -> text."""
    drivers = {name: pynq_driver(name).read_text(encoding="utf-8") for name in (DRIVER, *CORE_DRIVERS)}
    return {DESIGN: json.dumps(described(config), indent=1) + "\n", **drivers}


def described(config: CoreConfig) -> Mapping[str, Any]:
    """Return what ``design.json`` holds: the core, where its registers are, and why it refuses an image."""
    first = {name: 4 * at for at, name in enumerate(core_map.FIRST)}
    return {
        "design": SOC_TOP,
        "magic": core_map.MAGIC,
        "version": core_map.VERSION,
        "streams": STREAMS_VERSION,
        "geometry": config.geometry,
        "geometry_text": config.geometry_text,
        "core": asdict(config),
        "limits": limits(config),
        "image": {"magic": MAGIC, "version": VERSION, "header": HEADER},
        "registers": {
            **first,
            "frames": core_map.FRAMES,
            "cycles": core_map.FRAMES + 4,
            "errors": core_map.FRAMES + 8,
            "image_crc": core_map.IMAGE_CRC,
            "operations": core_map.OPERATIONS,
            "waits": core_map.WAITS,
            "events": core_map.EVENTS,
            "streams": STREAMS,
            "memory": MEMORY,
            "stream": STREAM,
        },
        "refusals": {error: core_map.refusal(error) for error in core_map.REFUSALS},
    }
