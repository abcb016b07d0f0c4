# SPDX-License-Identifier: Apache-2.0
"""Which files a stage's hash covers."""

from __future__ import annotations

import pytest

from codesign.flow.steps import STAGES
from codesign.sources import source_files, source_hash


def test_reaches_through_imports_at_any_depth() -> None:
    files = source_files("codesign.flow.stages.rtl")
    assert {"rtl/project.py", "graph/ir.py", "fixed.py", "errors.py", "flow/stages/rtl.py"} <= set(files)


def test_data_files_of_a_package_count() -> None:
    assert "rtl/leaves/delta_dense.sv" in source_files("codesign.flow.stages.rtl")
    assert "report/report.html.j2" in source_files("codesign.flow.stages.report")
    assert any(name.startswith("hls_templates/") for name in source_files("codesign.flow.stages.hls"))
    assert "rtl/top.sv.j2" in source_files("codesign.flow.stages.hls"), "its project holds the RTL"


def test_a_stage_does_not_depend_on_what_it_does_not_import() -> None:
    files = source_files("codesign.flow.stages.model")
    assert not [name for name in files if name.startswith(("rtl/", "sim/", "report/", "synth/"))]
    assert not [name for name in source_files("codesign.flow.stages.rtl") if name.startswith(("layers/", "training/"))]
    for stage in ("graph", "csim"):
        assert not [name for name in source_files(f"codesign.flow.stages.{stage}") if name.startswith("rtl/")]
    assert "flow/runner.py" not in files  # imported for types only


def test_every_stage_has_a_body_that_exists() -> None:
    for stage in STAGES:
        assert source_files(stage.module), stage.name
        assert len(source_hash(stage.module)) == 64


def test_module_outside_the_package() -> None:
    assert list(source_files("flow.fake_stages")) == ["flow.fake_stages"]


@pytest.mark.parametrize(("stage", "most"), [("model", 47), ("graph", 96), ("csim", 96), ("rtlsim", 50)])
def test_few_files_make_a_stage_stale(stage: str, most: int) -> None:
    files = source_files(f"codesign.flow.stages.{stage}")
    assert len(files) <= most, sorted(files)
    assert not [name for name in files if name.startswith(("report/", "commands/", "synth/", "host/"))]


def test_a_lazy_name_counts_the_module_that_defines_it() -> None:
    files = source_files("codesign.training.saved")
    assert "layers/activation.py" in files  # registered by its package
    assert "keras_model/file.py" in files
    assert "layers/replace.py" not in files
    assert "layers/streaming.py" in source_files("codesign.verify.software")  # from codesign.layers import stream
