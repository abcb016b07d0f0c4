# SPDX-License-Identifier: Apache-2.0
"""The generated text of today's designs stays what it was, byte by byte, while its generator is taken apart."""

from __future__ import annotations

import hashlib

import pytest
from rtl_cases import ALL_CASES

from codesign.rtl.board import emit_uart, register_map

SHA256 = {
    "hold": "ae54e9b0d858aaaa59fd31421c7887b61e3881fcbea4351b4c52871d14bc013c",
    "one word": "fac8fa0170cf69cee4ec7b65bbff0cdfcd72eac7c91334c1530aa2af02cd15ad",
    "wide": "86229aff25e49e7c9ca991d2bdffbdea6f8e41b139065af289de0039949d3e7f",
    "skip off": "76b852b20865d845dc69dfcb21f978d4f78c3591ec71402094e04f0255540282",
    "conv, dense end": "829a8025cbee0e4a7bf9c688ef4161363a44ec3d37410089105e8a179f07dbdf",
    "conv, tall kernel": "a7a5a66b1e3984ca45d389fed0820b054fcd796cfa3420e757d7c2195f81c25c",
    "conv, skip off": "d9cf853666c0566daaa120f60c5d4d7c5d0f54e4e9449c9e4fa5920b54a2cf8c",
    "residual, pooled": "4ea735d245f13db27411d6f3383871bb3b444d5a0258632b12427996359eda2b",
    "shortcut, upsampled": "9d4cb9851cf80b858c60425cc02219d72d833b7d80d38df9546422c4cbd54fed",
    "dense connections": "70746c1ee0db6d8f94dfd0079609cde8f09f25231f649e9f0f3e00fa13c56360",
    "two readers, skip off": "f646db1f853e6391127e61ef3c95081f87047dadac27e4b43ae476b2d944aa04",
}


def generated(name: str) -> str:
    """Return the hash of every file that is generated, not copied, without the id that depends on the leaves."""
    graph = ALL_CASES[name].graph()
    files = emit_uart(graph)
    number = str(register_map(graph).design_id)
    made = {
        path: text.replace(number, "ID")
        for path, text in files.items()
        if not path.startswith(("delta_", "board_")) and path != "filelist.f"
    }
    return hashlib.sha256("".join(f"{path}\0{made[path]}\0" for path in sorted(made)).encode()).hexdigest()


@pytest.mark.parametrize("name", ALL_CASES)
def test_text_is_the_same(name: str) -> None:
    assert generated(name) == SHA256[name]
