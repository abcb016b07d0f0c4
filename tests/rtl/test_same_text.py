# SPDX-License-Identifier: Apache-2.0
"""The generated text of today's designs stays what it was, byte by byte, while its generator is taken apart."""

from __future__ import annotations

import hashlib

import pytest
from rtl_cases import ALL_CASES

from codesign.rtl.soc import register_map
from codesign.rtl.uart import emit_uart

SHA256 = {
    "hold": "7a138e2bf55be4adc166ff89f5e6d534930a9e899c07efb53eb6f0f27f2bae1e",
    "one word": "25bdf647456ecb24a40c99a356212da7001d18de6aa2ed964d29eb1c2e9a42b7",
    "wide": "feb455f76343fa20d934f4e00c8556a226b82d0b4a6152aefd053f6040495e85",
    "skip off": "5967c0ebfb1afee6fd0bdc4001e07609bdec55a6d37d4208a65893c0efc361f5",
    "conv, dense end": "9d542417e519e38815f6a1bc91e9573943fac8e9f642bc01a1079e52a1aa51d7",
    "conv, tall kernel": "edfaee88d64960f57bb82726160f99648f428ed72103f276cf49539d83df4587",
    "conv, skip off": "25991d4922614d3255cc3e1dc44be0f22a2571503a7708926e23427abc69ea51",
    "residual, pooled": "00cb4f056a7cc7c6900191aaa1f7d27ad6b19080bf0c6bc501edec4e8718b63c",
    "shortcut, upsampled": "75268b57e326e11f1b6a90686c2f58d49d3b27f909d887e485791fa4ac0070a6",
    "dense connections": "6c91f78b53bd43b79125480ad96697c8b9e3d72f1ebca57263abd01e8edac1e3",
    "two readers, skip off": "f4fdaf3246e2f544c57e6892c5fae5d86d10c71cabde6337204aa8be20264546",
}


def generated(name: str) -> str:
    """Return the hash of every file that this package generates, without the id that depends on the leaves."""
    graph = ALL_CASES[name].graph()
    files = emit_uart(graph)
    number = str(register_map(graph).design_id)
    made = {
        path: text.replace(number, "ID")
        for path, text in files.items()
        if path.endswith((".mem", ".rdl", "_top.sv", "_soc.sv", "_uart.sv"))
    }
    return hashlib.sha256("".join(f"{path}\0{made[path]}\0" for path in sorted(made)).encode()).hexdigest()


@pytest.mark.parametrize("name", ALL_CASES)
def test_text_is_the_same(name: str) -> None:
    assert generated(name) == SHA256[name]
