# SPDX-License-Identifier: Apache-2.0
"""The one place that decides what designs, projects, layers, boards, studies and variants may be called.

A name becomes a C++ function, a SystemVerilog module, a file, a folder and a word in scripts, so it is checked before
any of them is made. `identifier` maps the name of a layer; all other names are taken as they are or refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from codesign.errors import CodesignError, ConfigError, ConversionError
from codesign.paths import RTL

LONGEST = 100
"""Letters of a name. Files are called after it, with endings of our own and of the tools, and have 255 at most."""

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+-]*")
_SETTING = re.compile(r"[A-Za-z0-9_.,:<>%/+ -]*")

# C++11 up to C++23: hls4ml compiles with the newest that the compiler has.
_CPP = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl
concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do
double dynamic_cast else enum explicit export extern false final float for friend goto if inline int long mutable
namespace new noexcept not not_eq nullptr operator or or_eq override private protected public register
reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template this
thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
"""
# IEEE 1800-2017, table B.1; it holds those of Verilog.
_SYSTEMVERILOG = """
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind bins
binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const
constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge else
end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage
endprimitive endprogram endproperty endspecify endsequence endtable endtask enum event eventually expect export extends
extern final first_match for force foreach forever fork forkjoin function generate genvar global highz0 highz1 if iff
ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside instance int integer
interconnect interface intersect join join_any join_none large let liblist library local localparam logic longint
macromodule matches medium modport module nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1
null or output package packed parameter pmos posedge primitive priority program property protected pull0 pull1 pulldown
pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg
reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until
s_until_with scalared sequence shortint shortreal showcancelled signed small soft solve specify specparam static string
strong strong0 strong1 struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time
timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0 unsigned
until until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while wildcard wire
with within wor xnor xor
"""
# Reserved there, but of places that no design gets into: charge strengths, and blocks that choose libraries.
_HARMLESS = "small medium large cell config design instance liblist library use"
# What the generated C++ and SystemVerilog, the headers they include and their files call something themselves.
_ARGUMENTS = "reset loaded_weights input_t result_t assert errno stdin stdout stderr NULL EOF linux unix i386"
_TAKEN = f"""
{_ARGUMENTS} main nnet std hls work defines parameters trace_data trace_enabled trace_outputs trace_type_size
allocate_trace_storage free_trace_storage collect_trace_output ap_int ap_uint ap_fixed ap_ufixed delta_run delta_reset
delta_first_of_stream delta_take_reset delta_indices delta_count Vtop int8_t int16_t int32_t int64_t uint8_t uint16_t
uint32_t uint64_t size_t ptrdiff_t
"""
# Weights, biases, steps, holds, tensors, types and configurations of the generated C++.
_NUMBERED = re.compile(r"(w|b|k|h|config|layer|weight|bias|step|threshold)\d+(_\w+)?")
_BRANCH = re.compile(r"\w*__\d+")
_SUFFIXES = ("", "_top", "_soc", "_uart", "_registers")


def identifier(name: str) -> str:
    """Return the name of a layer as a C and SystemVerilog identifier."""
    safe = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return safe if safe[:1].isalpha() else f"n_{safe}"


def check_design(name: object, *, where: str, error: type[CodesignError] = ConfigError) -> None:
    """Check the name of a design or project: of the C++ function, of SystemVerilog modules, of files and folders.

    Raises:
        error: not such a name; ``where`` is the key or argument that holds it.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise error(
            "not an identifier",
            where=where,
            expected="letters, digits and _, a letter first",
            received=_shown(name),
            fix=f"call it {suggestion(name)!r}, for example",
        )
    _check_length(name, where, error)
    if name.lower() in _reserved() or _NUMBERED.fullmatch(name):
        raise error(
            "a reserved name",
            where=where,
            expected="no keyword of C++ or SystemVerilog, and no name that the generated sources use themselves",
            received=_shown(name),
            fix=f"call it {suggestion(name)!r}, for example",
        )


def check_layers(names: Iterable[str], *, where: str) -> None:
    """Check the names of a model's layers, which differ as identifiers too, whatever their case.

    Raises:
        ConversionError: too long, of a form that the generated top uses, or two that are one.
    """
    known: dict[str, str] = {}
    for name in names:
        safe = identifier(name)
        _check_length(name, where, ConversionError)
        if not name.isprintable() or set(name) & set("{}"):
            raise ConversionError(
                "a name that generated text cannot hold",
                where=where,
                expected="a layer name without braces and line breaks",
                received=_shown(name),
                fix=f"call it {safe!r}, for example",
            )
        if _BRANCH.fullmatch(safe):
            raise ConversionError(
                "a name of a form that the generated hardware uses for branches",
                where=where,
                expected="a layer name that does not end with two underscores and a number",
                received=_shown(name),
                fix="rename the layer",
            )
        if safe.lower() in known:
            raise ConversionError(
                "two layers share a name: only letters and digits count, and not their case",
                where=where,
                expected="names that differ in more than that",
                received=f"{_shown(known[safe.lower()])} and {_shown(name)}",
                fix="rename one layer",
            )
        known[safe.lower()] = name


def check_input(name: str, *, where: str) -> None:
    """Check the name of the input, which is an argument of the C++ function.

    Raises:
        ConversionError: a keyword of C++, or a name that the generated C++ uses itself.
    """
    safe = identifier(name)
    if safe in (*_CPP.split(), *_ARGUMENTS.split()) or _NUMBERED.fullmatch(safe):
        raise ConversionError(
            "the input has a name that C++, or the generated C++, uses itself",
            where=where,
            received=_shown(name),
            fix="rename the input, e.g. keras.Input(shape, name='frame')",
        )


def check_nodes(design: str, names: Iterable[str], *, where: str) -> None:
    """Check the names of a finished graph: identifiers already, no two of them one.

    Raises:
        ConversionError: one is not.
    """
    for name in (design, *names):
        if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or len(name) > 2 * LONGEST:
            raise ConversionError(
                "a name is no SystemVerilog identifier",
                where=where,
                expected=f"letters, digits and underscores, a letter first, at most {2 * LONGEST} of them",
                received=_shown(name),
                fix="rename the layer",
            )


def check_folder(name: object, *, where: str) -> None:
    """Check a name that a folder or file gets: of a study, a variant, a board.

    Raises:
        ConfigError: it is not one plain part of a path.
    """
    if not isinstance(name, str) or not _FOLDER.fullmatch(name):
        raise ConfigError(
            "not a name",
            where=where,
            expected="letters, digits, _ and -, a letter or digit first",
            received=_shown(name),
            fix="choose another name",
        )
    _check_length(name, where, ConfigError)


def check_word(text: str, *, where: str) -> None:
    """Check a text that goes into a script or a constraint file as it is: a pin, a part, a package; empty is none.

    Raises:
        ConfigError: it holds spaces, quotes or anything else that could end the word there.
    """
    if text and not _WORD.fullmatch(text):
        raise ConfigError(
            "not a word",
            where=where,
            expected="letters, digits and any of _ . : / + -",
            received=_shown(text),
            fix="write it as the tool names it",
        )


def plain_setting(text: str) -> bool:
    """Return whether a setting of hls4ml can be written into C++ and Tcl without ending a word, a string or a line."""
    return _SETTING.fullmatch(text) is not None


def suggestion(name: object) -> str:
    """Return a valid name that is like ``name``."""
    plain = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9_]", "_", str(name))).strip("_")
    safe = identifier(plain)[: LONGEST - 4] if plain else "my_design"  # no letter of it can stay
    return f"my_{safe}" if safe.lower() in _reserved() or _NUMBERED.fullmatch(safe) else safe


def _check_length(name: str, where: str, error: type[CodesignError]) -> None:
    if len(name) > LONGEST:
        raise error(
            "the name is too long",
            where=where,
            expected=f"at most {LONGEST} letters",
            received=f"{len(name)} letters, {_shown(name)}",
            fix="choose a shorter name",
        )


def _shown(name: object) -> str:
    text = repr(name)
    return text if len(text) <= 60 else f"{text[:50]}...{text[-1]}"


@cache
def _reserved() -> frozenset[str]:
    """Return every name that no design may have, in lower case: file systems and hls4ml may ignore case."""
    words = set(_CPP.split()) | set(_TAKEN.lower().split()) | (set(_SYSTEMVERILOG.split()) - set(_HARMLESS.split()))
    modules = [path.stem for path in RTL.rglob("*.sv")]
    made = [module.removesuffix(suffix) for module in modules for suffix in _SUFFIXES if module.endswith(suffix)]
    return frozenset((*words, *modules, *made))
