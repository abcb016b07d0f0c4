# SPDX-License-Identifier: Apache-2.0
"""Numbers and names on their way into Tcl."""

import tkinter

import jinja2
import pytest

from codesign.synth.vendor.scripts import render, tcl

NASTY = [
    "plain",
    "",
    "two words",
    "a{b",
    "a}b",
    "{}",
    "a\\b",
    "$x",
    "[exit]",
    '"',
    "a;b",
    "#c",
    "a\nb",
    "é",
    "Skip=1'b0",
]


@pytest.mark.parametrize("text", NASTY)
def test_a_text_arrives_as_it_is(text: str) -> None:
    interpreter = tkinter.Tcl()
    interpreter.eval(f"set value {tcl(text)}")
    assert interpreter.getvar("value") == text


def test_a_list_arrives_as_it_is() -> None:
    interpreter = tkinter.Tcl()
    interpreter.eval(f"set value {tcl(NASTY)}")
    assert list(interpreter.splitlist(interpreter.getvar("value"))) == NASTY


@pytest.mark.parametrize(("number", "word"), [(100.0, "100"), (12.5, "12.5"), (4, "4"), (99.999001, "99.999")])
def test_a_number(number: float, word: str) -> None:
    assert tcl(number) == word


def test_a_forgotten_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'target' is undefined"):
        render("settings.tcl.j2", script="a.tcl")
