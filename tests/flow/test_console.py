# SPDX-License-Identifier: Apache-2.0
"""What a long step says where no terminal shows a bar: a line from time to time, and nothing in between."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from flow.fake_stages import stage
from flow.test_runner import design

from codesign.flow import console
from codesign.flow.console import Terminal
from codesign.flow.runner import Options, Runner


def test_a_long_step_says_how_far_it_is() -> None:
    out = io.StringIO()
    terminal = Terminal(out, beat_s=0.2)
    with terminal.bar("[1/8] 1_model"):
        time.sleep(0.3)
        terminal.advance(0.25, "epoch 2/8")
        terminal.advance(0.5, "epoch 4/8")
        time.sleep(0.2)
    time.sleep(0.3)
    assert out.getvalue() == "[1/8] 1_model running: 0 s\n[1/8] 1_model running: 0 s, 50 %, epoch 4/8\n"


def test_a_new_step_has_forgotten_the_last_one_and_a_short_one_says_nothing() -> None:
    out = io.StringIO()
    terminal = Terminal(out, beat_s=0.1)
    with terminal.bar("a"):
        terminal.advance(0.5, "half")
    assert out.getvalue() == ""
    with terminal.bar("b"):
        time.sleep(0.15)
    assert out.getvalue() == "b running: 0 s\n"


def test_every_30_seconds_unless_asked_otherwise() -> None:
    assert console.BEAT_S == Terminal(io.StringIO())._beat_s == 30.0


def test_a_stage_of_the_runner_beats_though_its_own_output_goes_to_the_log(tmp_path: Path) -> None:
    out = io.StringIO()
    stages = (stage("1_slow", "slow", resumable=True),)
    terminal = Terminal(out, beat_s=0.7)
    Runner(design=design(), stages=stages, root=tmp_path, options=Options(), terminal=terminal).run()
    lines = out.getvalue().splitlines()
    assert re.fullmatch(r"\[1/1\] 1_slow running: 1 s, \d+ %, steps", lines[0])
    assert lines[-1].startswith("[1/1] 1_slow ok")
    assert "running" not in (tmp_path / "1_slow" / "log.txt").read_text()


def test_on_a_terminal_the_bar_ends_with_an_error() -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal(Screen())

    def fails() -> None:
        with terminal.bar("[1/8] 1_model"):
            terminal.advance(0.5, "[/] is no markup")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    terminal.advance(1.0, "nothing is shown any more")
    with terminal.bar("[2/8] 2_graph"):
        terminal.advance(0.5, "half")
