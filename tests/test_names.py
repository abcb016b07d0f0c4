# SPDX-License-Identifier: Apache-2.0
"""Names: one place decides, before anything is made, and says what to call it."""

from __future__ import annotations

import pytest

from codesign import names
from codesign.errors import CodesignError, ConfigError, ConversionError
from codesign.paths import RTL

GOOD = (
    "net",
    "small",
    "design",
    "myproject",
    "moving_digits",
    "Net2",
    "delta",
    "a" * names.LONGEST,
    "mainly",
    "int8",
    "board",
)
NO_IDENTIFIERS = {
    "empty": "",
    "a shell command": "a;touch x",
    "a substitution": "$(touch x)",
    "backquotes": "`touch x`",
    "a path": "../../x",
    "an absolute path": "/etc/x",
    "this folder": ".",
    "a space": "a b",
    "a line": "a\nb",
    "a quote": 'a"b',
    "a zero": "a\0b",
    "a dash": "a-b",
    "a dot": "a.b",
    "a digit first": "1a",
    "an underscore first": "_a",
    "a letter that looks like a": "\N{CYRILLIC SMALL LETTER A}",
    "an umlaut": "g\u00fcte",
    "a digit of another script": "a\N{ARABIC-INDIC DIGIT ONE}",
    "a line at the end": "net\n",
    "no text": None,
    "a number": 7,
}
RESERVED = (
    *("main", "int", "class", "and", "co_await", "nullptr", "override", "INT", "Main"),
    *("module", "inside", "logic", "endmodule", "input", "wire", "unique0", "Module"),
    *("nnet", "std", "hls", "delta_conv", "delta_dense", "board_link", "board_uart_rx", "defines", "parameters"),
    *("delta_run", "delta_reset", "input_t", "result_t", "w2", "b3", "layer2_t", "config4", "trace_data", "NULL"),
)


@pytest.mark.parametrize("name", GOOD)
def test_good_names(name: str) -> None:
    names.check_design(name, where="design.name")


@pytest.mark.parametrize("kind", NO_IDENTIFIERS)
def test_what_is_no_identifier_is_refused(kind: str) -> None:
    with pytest.raises(ConfigError, match=r"^design\.name: not an identifier.*Expected: letters.*Next step: call it"):
        names.check_design(NO_IDENTIFIERS[kind], where="design.name")


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(ConversionError, match=rf"project_name: a reserved name.*{name}.*Next step: call it 'my_"):
        names.check_design(name, where="project_name", error=ConversionError)


def test_no_module_of_ours_can_be_replaced() -> None:
    for module in (path.stem for path in RTL.rglob("*.sv")):
        with pytest.raises(ConfigError, match="a reserved name"):
            names.check_design(module, where="design.name")


@pytest.mark.parametrize("name", [*NO_IDENTIFIERS.values(), *RESERVED])
def test_what_is_suggested_is_good(name: object) -> None:
    names.check_design(names.suggestion(name), where="here")


def test_a_name_without_a_letter_that_can_stay() -> None:
    assert names.suggestion("\u0442\u0435\u0441\u0442") == names.suggestion("../") == "my_design"


def test_long_names() -> None:
    with pytest.raises(ConfigError, match=rf"too long.*at most {names.LONGEST} letters.*300 letters"):
        names.check_design("a" * 300, where="design.name")
    with pytest.raises(ConversionError, match=rf"too long.*at most {names.LONGEST} letters"):
        names.check_layers(["a" * 300], where="net")


@pytest.mark.parametrize(
    "pair", [("a-b", "a_b"), ("a/b", "a b"), ("Conv", "conv"), ("1", "n_1"), ("\u00e9", "\u00e8"), ("same", "same")]
)
def test_layers_that_would_be_one_are_named(pair: tuple[str, str]) -> None:
    with pytest.raises(ConversionError, match=r"net: two layers share a name.*rename one") as error:
        names.check_layers(["frame", *pair], where="net")
    assert all(repr(name) in str(error.value) for name in pair)


@pytest.mark.parametrize("name", ["x[8]){}void y(", "a{0}", "a\nb", "a\x1b[31m"])
def test_layers_with_what_text_cannot_hold(name: str) -> None:
    with pytest.raises(ConversionError, match=r"net: a name that generated text cannot hold.*call it"):
        names.check_layers([name], where="net")


def test_layers_keep_what_works_today() -> None:
    names.check_layers(["input", "output", "conv-1", "module", "block/conv", "a", "a_word", "2nd"], where="net")
    with pytest.raises(ConversionError, match="uses for branches"):
        names.check_layers(["conv__0"], where="net")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("conv", "conv"), ("conv-1", "conv_1"), ("1st", "n_1st"), ("", "n_"), ("\u00e9", "n__"), ("a\nb", "a_b")],
)
def test_identifiers_are_ascii(name: str, expected: str) -> None:
    assert names.identifier(name) == expected


@pytest.mark.parametrize("name", ["int", "reset", "w2", "layer3_out", "result_t", "and"])
def test_an_input_is_no_word_of_the_generated_cpp(name: str) -> None:
    with pytest.raises(ConversionError, match=r"x: the input has a name.*rename the input"):
        names.check_input(name, where="x")
    names.check_input(f"my_{name}", where="x")


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", ".hidden", "-rf", "x" * 300, "a\n", 3])
def test_folders(name: object) -> None:
    with pytest.raises(ConfigError, match=r"^variant: "):
        names.check_folder(name, where="variant")
    for good in ("kv260", "pynq-z2", "a_b", "9"):
        names.check_folder(good, where="variant")


@pytest.mark.parametrize("text", ["A1 ; exec", "a b", '"', "[exec ls]", "$x", "{", "a\nset_io b", "-x", "\u00e9"])
def test_words_of_scripts(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^site: not a word"):
        names.check_word(text, where="site")
    for good in ("", "P3", "LVCMOS33", "tul.com.tw:pynq-z2:part0:1.0", "GW2AR-LV18QN88C8/I7"):
        names.check_word(good, where="site")


def test_errors_are_of_the_kind_that_was_asked_for() -> None:
    for error in (ConfigError, ConversionError):
        with pytest.raises(error):
            names.check_design("a b", where="x", error=error)
    assert issubclass(ConfigError, CodesignError)
