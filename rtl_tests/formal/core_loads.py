# SPDX-License-Identifier: Apache-2.0
"""Proofs of the delta core's modules: an image becomes a network."""

from __future__ import annotations

from formal.cores import MUTANTS, modules
from formal.record import Case, Fault, Subject, benched

LOADS = (
    Subject(
        name="core_load",
        leaf="load",
        properties={
            "loaded": "there is a network from the last word of a right image until the next one is offered or the "
            "memory fails, and at no other time: header, sections, lines, length and CRC-32 were all right, and with a "
            "memory that was good when it was tried, all is written; steps, beats, origins and identity are those of "
            "the header; lost_o comes 2 cycles after the memory failed, and 3 cycles after it there is no network",
            "ready": "a word is taken unless one was in the cycle before, the memory is tried or a beat waits for it, "
            "the first one of an image only between frames, the last one only when all is written",
            "error": "error_o says what was wrong first, or that the image was too short, or that the memory failed",
            "crc": "crc_o is the CRC-32 of the words so far",
            "writes": "each line of a section is written once, in order from address 0 on, with its words and in its "
            "memory, each word of weights and sums in its lanes, and nothing else",
            "word": "lanes have their word",
            "tried": "the memory is tried once for each header, and again after a restart; without one nothing waits "
            "for that",
            "outside": "each beat of a line of weights that does not fit inside is offered in the next cycle, until it "
            "is taken, with its words, at line_origin_o and as many beats on as were before it; while the memory is "
            "tried its ports are core_probe's",
        },
        assumes="core_probe does what its proof says, and anything else (a stand-in does); a reset lasts 2 cycles or "
        "more; no word comes while an image is forgotten",
        cases=tuple(
            Case(
                parameters={
                    "memory_bits": bits,
                    "memory_kib": bits // 2,
                    "cached_words": bits // 8,
                    "cached_lines": bits // 8,
                    "lanes": lanes,
                    "quantisers": quantisers,
                    "sum_bits": 24,
                    "index_bits": index,
                    "weight_lines": lines,
                },
                depth=2,
                fast=lanes == 2,
            )
            for bits, lanes, quantisers, index, lines in (
                (32, 2, 1, 4, 1),
                (64, 8, 2, 6, 8),
                (32, 8, 2, 6, 8),
                (0, 2, 1, 4, 8),
                (0, 4, 2, 6, 8),
            )
        ),
        fault_depth=30,
        faults=(
            *benched(
                "load",
                *("any magic", "any version", "loads in a frame", "CRC of another polynomial", "half of a word"),
                *("forgets nothing", "loaded after a reset"),
                among=MUTANTS,
            ),
            *benched(
                "load",
                *("memory not tried", "any memory will do", "does not say that the memory is bad"),
                *("a restart hangs the load", "any origin", "lines outside go inside", "lines inside go outside"),
                *("beats of inside not counted", "lines from address 0", "beat overwritten"),
                *("loaded before it is written", "a memory that is lost"),
                *("a core without its memory", "a network without its memory", "error of the network before"),
                among=MUTANTS,
                Any=0,
            ),
            *(
                Fault(leaf="load", name=name, old=old, new=new, parameters={"Any": 0})
                for name, old, new in (
                    ("each beat at the origin", "target_q <= beat_q[", "target_q <= line_origin_o["),
                    ("tried at another address", "= probe_write ? probe_address : target_q", "= target_q"),
                    (
                        "writes go on",
                        "{write_o, write_weight_o, write_sum_o} <= '0",
                        "{write_weight_o, write_sum_o} <= '0",
                    ),
                )
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("load", leaves=(), stand_ins=("probe",)),
    ),
)
