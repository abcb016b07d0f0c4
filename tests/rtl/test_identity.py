# SPDX-License-Identifier: Apache-2.0
"""The name of a design follows its files and nothing else."""

from __future__ import annotations

import hashlib

from codesign.rtl.identity import design_id


def test_the_id_is_of_paths_and_texts_in_order() -> None:
    files = {"b.sv": "two", "a.sv": "one"}
    assert f"{design_id(files):08x}" == hashlib.sha256(b"a.sv\0oneb.sv\0two").hexdigest()[:8]
    assert design_id(files) == design_id(dict(reversed(files.items())))
    assert design_id(files) != design_id({**files, "b.sv": "too"})
    assert design_id(files) != design_id({"b.sv": "two", "c.sv": "one"})
