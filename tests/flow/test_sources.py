# SPDX-License-Identifier: Apache-2.0
"""Which files a stage's hash covers."""

from __future__ import annotations

from codesign.flow.steps import STAGES
from codesign.sources import source_files, source_hash


def test_reaches_through_imports_at_any_depth() -> None:
    files = source_files("codesign.flow.stages.rtl")
    assert {"rtl/emit.py", "graph/ir.py", "fixed.py", "errors.py", "flow/stages/rtl.py"} <= set(files)


def test_data_files_of_a_package_count() -> None:
    assert "rtl/leaves/delta_dense.sv" in source_files("codesign.flow.stages.rtl")
    assert "report/report.html.j2" in source_files("codesign.flow.stages.report")
    assert any(name.startswith("hls_templates/") for name in source_files("codesign.flow.stages.hls"))


def test_a_stage_does_not_depend_on_what_it_does_not_import() -> None:
    files = source_files("codesign.flow.stages.model")
    assert not [name for name in files if name.startswith(("rtl/", "sim/", "report/", "synth/"))]
    assert not [name for name in source_files("codesign.flow.stages.rtl") if name.startswith(("layers/", "training/"))]
    assert "flow/runner.py" not in files  # imported for types only


def test_every_stage_has_a_body_that_exists() -> None:
    for stage in STAGES:
        assert source_files(stage.module), stage.name
        assert len(source_hash(stage.module)) == 64


def test_module_outside_the_package() -> None:
    assert list(source_files("fake_stages")) == ["fake_stages"]
