# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: what streams, makes bursts, divides and quantises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from core_add_mutants import ADD_MUTANTS
from core_codes_mutants import CODES_MUTANTS
from core_memory_mutants import MEMORY_MUTANTS
from core_send_mutants import SEND_MUTANTS

from codesign.core import CoreConfig, core_package
from codesign.core.config import CHUNK_BITS
from codesign.rtl.core import core_module_files
from codesign.rtl.leaves import leaf_files
from formal.record import STREAM, Case, Fault, Subject, benched

MUTANTS = (*SEND_MUTANTS, *CODES_MUTANTS, *ADD_MUTANTS, *MEMORY_MUTANTS)
SMALL = CoreConfig(
    lanes=4,
    quantisers=2,
    code_bits=2,
    weight_bits=2,
    sum_bits=32,
    index_bits=4,
    sum_words=8,
    code_rows=8,
    weight_lines=8,
    table_rows=8,
    param_rows=8,
    step_words=8,
    places=8,
    walks=8,
    chunks=8,
    memory_bits=32,
    memory_kib=16,
    cached_words=4,
    cached_lines=4,
)
"""What a case does not say of its core."""
STAND_INS = Path(__file__).resolve().parent / "stand_ins"


def modules(
    *names: str, leaves: Iterable[str] = ("fifo",), stand_ins: Iterable[str] = ()
) -> Callable[[Mapping[str, int]], dict[str, str]]:
    """Return what returns the files of modules of the core and of leaves, for the parameters of a case.

    ``stand_ins``: modules for which there is a simpler one in ``stand_ins/``; ``Divide`` of the parameters: stages of
    that of core_divide.
    """

    def files(parameters: Mapping[str, int]) -> dict[str, str]:
        fields = {name: value for name, value in parameters.items() if name.islower()}
        chunk_bits = fields.pop("chunk_bits", CHUNK_BITS)  # of no configuration, as it is the same in all cores
        package = core_package(replace(SMALL, **fields))
        package = package.replace(f"ChunkBits = {CHUNK_BITS};", f"ChunkBits = {chunk_bits};")
        texts = core_module_files()
        chosen = {name: texts[name] for name in ("core_types.sv", *(f"core_{name}.sv" for name in names))}
        if "Room" in parameters and "fetch" in names:  # as well
            chosen["core_fetch.sv"] = chosen["core_fetch.sv"].replace("Room = 16;", f"Room = {parameters['Room']};")
        if "Stages" in parameters and "codes" in names:  # of core_send
            chosen["core_types.sv"] = chosen["core_types.sv"].replace(
                "SendStages = 11;", f"SendStages = {parameters['Stages']};"
            )
        simple = [STAND_INS / f"core_{name}.sv" for name in stand_ins]
        stages = f"Stages = {parameters.get('Divide', 9)};"
        instead = {path.name: path.read_text(encoding="utf-8").replace("Stages = 9;", stages) for path in simple}
        return {"core_pkg.sv": package, **leaf_files(*leaves), **instead, **chosen}

    return files


CORES = (
    Subject(
        name="core_burst",
        leaf="burst",
        properties={
            "beats": "a burst is of the next beats of the oldest record: none is lost, doubled or out of order",
            "page": "no burst lies across 4 KiB",
            "whole": "a burst ends with its record or at 4 KiB",
            "stable": "a burst that waits stays, unchanged",
            "progress": "a burst is offered at the latest 2 cycles after its record was taken, and then without a gap",
            "room": "a record is taken whenever the last burst of the one before it is offered",
        },
        assumes="a record has 1 to 255 beats and lies inside the memory",
        cases=tuple(
            Case(parameters={"memory_bits": bits, "memory_kib": kib}, depth=2, fast=(bits, kib) == (32, 16))
            for bits, kib in ((32, 16), (32, 2), (64, 32768), (128, 64), (128, 1 << 22))
        ),
        fault_depth=8,
        faults=benched(
            "burst",
            *("never across 4 KiB", "up to 4 KiB is across", "the page before", "all beats again", "a beat more"),
            *("address in beats", "ready ignored", "valid stuck", "second burst lost"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("burst"),
    ),
    Subject(
        name="core_gather",
        leaf="gather",
        properties={
            **STREAM,
            "progress": "a word is offered in the cycle after its last part was taken",
            "room": "a part is taken unless a word waits",
        },
        assumes="a word has at most Lanes / Quantisers parts, and no end comes within it",
        cases=tuple(
            Case(parameters={"lanes": lanes, "quantisers": quantisers}, depth=2, fast=(lanes, quantisers) == (4, 2))
            for lanes, quantisers in ((4, 2), (2, 2), (4, 1), (8, 1), (16, 4))
        ),
        fault_depth=8,
        faults=benched(
            "gather",
            *("unchanged word sent", "every part sent", "looks at the last part", "change of the word before"),
            *("deltas of part 0 in all", "mask of part 0 in all", "lanes of the word before", "end dropped"),
            *("a part after the end", "ready ignored", "lanes at the end"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("gather"),
    ),
    Subject(
        name="core_beats",
        leaf="beats",
        properties={
            **STREAM,
            "progress": "the word of a beat, with its number and group, the words that fill a short first frame, then "
            "the end are each offered in the next cycle",
            "ready": "a beat is taken if it is past the end of its frame, or in a frame that was started and there is "
            "room",
            "waiting": "a frame is asked for as soon as the end of the one before it is on its way",
            "fresh": "the first frame after a reset, and one with TUSER in its first beat, start a stream",
            "error": "an early and a late TLAST, and nothing else, are reported, and stay so",
            "begins": "a frame begins with the first beat that is taken after its start",
        },
        assumes="a start comes only after the end of the pass before it was queued; the step and fresh_i stay until "
        "then",
        cases=tuple(
            Case(
                parameters={"lanes": lanes, "quantisers": lanes, "code_bits": code, "sum_bits": 8, "index_bits": index},
                depth=2,
                fast=index == 4,
            )
            for lanes, code, index in ((2, 3, 4), (4, 2, 5))
        ),
        fault_depth=9,
        faults=(
            *benched(
                "beats",
                *("off by one beat", "first frame not fresh", "takes beats before a start", "error not sticky"),
                *("extra beat asks for a frame", "takes beats without room", "every word begins a frame", "no end"),
                "codes without a sign",
                among=MUTANTS,
            ),
            *benched("fifo", "ready ignored", prefix="delta_"),
        ),
        prefix="core_",
        modules=modules("beats"),
    ),
    Subject(
        name="core_divide",
        leaf="divide",
        properties={
            **STREAM,
            "progress": "a quotient is offered at the latest 9 cycles after its operands were taken",
            "room": "operands are taken unless a quotient waits",
        },
        assumes="recip_i and shift_i are those of divisor_i, as in the header",
        cases=tuple(Case(parameters={"index_bits": bits}, depth=2, fast=bits == 4) for bits in (4, 6)),
        fault_depth=13,
        faults=(
            *benched(
                "divide",
                *("ready ignored", "valid stuck", "shift of the one after it", "high bits of the quotient"),
                among=MUTANTS,
            ),
            Fault(
                leaf="divide",
                name="operands lost",
                old="{valid_q[Stages-1:1], valid_i}",
                new="{valid_q[Stages-1:1], 1'b0}",
            ),
        ),
        prefix="core_",
        modules=modules("divide"),
    ),
    Subject(
        name="core_quantise",
        leaf="quantise",
        properties={
            "code": "the code that leaves is that of the formula",
            "delta": "the delta is the difference to the code before, exactly",
            "changed": "it counts as changed if the lane has a channel and the delta is not 0, or nothing is skipped",
        },
        assumes="what all lanes share does not change; low_i and high_i are lo_i and hi_i on the lattice of the sums, "
        "lo_i <= 0 <= hi_i; |code_i| * 2^shift_i is at most 2^(SumBits - 1); values are taken in any pattern",
        cases=tuple(
            Case(
                parameters={"code_bits": code, "sum_bits": bits}, method="bounded", depth=8, fast=(code, bits) == (3, 8)
            )
            for code, bits in ((3, 8), (7, 8))
        ),
        fault_depth=8,
        faults=benched(
            "quantise",
            *("half up", "no clip above", "held is sent", "lane without a channel", "delta of the unheld code"),
            among=MUTANTS,
        ),
        prefix="core_",
        modules=modules("quantise"),
    ),
)
