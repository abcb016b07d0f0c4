# SPDX-License-Identifier: Apache-2.0
"""board_crc32: every step is zlib's."""

from __future__ import annotations

import zlib
from typing import Any

import cocotb
from bench import Case, generator
from cocotb.triggers import Timer

CASES = {"byte": Case(parameters={})}
RESIDUE = 0xDEBB20E3


async def step(dut: Any, crc: int, byte: int) -> int:
    dut.crc_i.value, dut.data_i.value = crc, byte
    await Timer(1, "ns")
    return int(dut.crc_o.value.to_unsigned())


@cocotb.test()
async def steps(dut: Any) -> None:
    rng = generator()
    for _ in range(20):
        data = rng.randbytes(rng.randrange(1, 30))
        crc = 0xFFFFFFFF
        for at, byte in enumerate(data):
            crc = await step(dut, crc, byte)
            assert crc ^ 0xFFFFFFFF == zlib.crc32(data[: at + 1])
        for byte in zlib.crc32(data).to_bytes(4, "little"):
            crc = await step(dut, crc, byte)
        assert crc == RESIDUE
