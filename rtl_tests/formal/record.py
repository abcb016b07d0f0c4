# SPDX-License-Identifier: Apache-2.0
"""Records of proofs: leaves, their properties, the sizes they are proved for, and faults that must be found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from conv_mutants import CONV_MUTANTS
from mutants import MUTANTS, Mutant

from codesign.rtl.leaves import leaf_files

Method = Literal["induction", "bounded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A text substitution in a leaf for which at least one property must fail.

    Attributes:
        leaf: of the file ``<prefix><leaf>.sv``.
        name: what is wrong with it.
        old: occurs once in the file.
        new: what is there instead.
        parameters: of the harness, where they are not those of the subject's first case.
        prefix: "": that of the subject.
    """

    leaf: str
    name: str
    old: str
    new: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    prefix: str = ""


def benched(
    leaf: str,
    *names: str,
    among: Iterable[Mutant] = (*MUTANTS, *CONV_MUTANTS),
    prefix: str = "",
    **parameters: int,
) -> tuple[Fault, ...]:
    """Return faults that the leaf's bench finds, too, by their names in a table of mutants."""
    rows = {mutant.name: mutant for mutant in among if mutant.leaf == leaf}
    return tuple(
        Fault(leaf=leaf, name=name, old=rows[name].old, new=rows[name].new, parameters=parameters, prefix=prefix)
        for name in names
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One size that a subject is proved for.

    Attributes:
        parameters: of the harness; in lower case: fields of the `CoreConfig` that ``core_pkg`` is generated from.
        method: "induction": for any number of cycles; "bounded": for ``depth`` cycles from reset on.
        depth: k of the induction, or cycles.
        fast: run by the default test suite.
    """

    parameters: Mapping[str, int] = field(default_factory=dict)
    method: Method = "induction"
    depth: int
    fast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A leaf with its harness, ``prove_<name>.sv``.

    Attributes:
        name: of the harness.
        leaf: what is proved, ``delta_<leaf>``; the prefix is that of `prefix`.
        properties: sentence by the label of the assertion without ``a_``. Every assertion of the harness that begins
            with ``a_`` has its sentence; others are steps of the proof.
        assumes: what the proof takes for granted of the leaf's surroundings; "": nothing.
        cases: sizes, the first of which faults and reachability are tried on.
        fault_depth: cycles in which every fault is found and every cover point is reached.
        faults: each must make a property fail, and every property must fail for one of them.
        files: memory files by name.
        free: memories read from files hold anything: proved for every content.
        thorough: the search for a fault goes on after the first property that fails.
        prefix: of the module's name, and of the files that faults are in.
        flat: memories become registers, which is faster where every place of one is looked at.
        modules: given the parameters, file name -> text of every module that it may need, each after what it imports.
    """

    name: str
    leaf: str
    properties: Mapping[str, str]
    assumes: str = ""
    cases: tuple[Case, ...]
    fault_depth: int
    faults: tuple[Fault, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    free: bool = False
    thorough: bool = True
    prefix: str = "delta_"
    flat: bool = False
    modules: Callable[[Mapping[str, int]], Mapping[str, str]] = lambda _: leaf_files()


STREAM = {
    "only_what_entered": "nothing leaves that did not enter, and no token twice",
    "none_lost": "no more tokens are inside than there is room for: none is overwritten",
    "order": "tokens leave in the order in which they entered, with the right content",
    "stable": "a token that waits stays, unchanged",
}
"""Properties of `check_stream`, but for its bounded progress."""
