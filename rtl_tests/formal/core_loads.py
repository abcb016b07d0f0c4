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
            "loaded": "there is a network from the last word of a right image until the next one is offered, and at no "
            "other time: header, sections, lines, length and CRC-32 were all right; steps, beats, origins and identity "
            "are those of the header",
            "ready": "a word is taken unless one was in the cycle before, the first one of an "
            "image only between frames",
            "error": "error_o says what was wrong first, or that the image was too short",
            "crc": "crc_o is the CRC-32 of the words so far",
            "writes": "each line of a section is written once, in order from address 0 on, with its words and in its "
            "memory, each word of weights and sums in its lanes, and nothing else",
            "word": "lanes have their word",
        },
        assumes="there is no memory outside; a reset lasts 2 cycles or more; no word comes while an image is forgotten",
        cases=tuple(
            Case(
                parameters={
                    "memory_bits": 0,
                    "memory_kib": 0,
                    "cached_words": 0,
                    "cached_lines": 0,
                    "lanes": lanes,
                    "quantisers": quantisers,
                    "sum_bits": 24,
                    "index_bits": index,
                },
                depth=2,
                fast=lanes == 2,
            )
            for lanes, quantisers, index in ((2, 1, 4), (4, 2, 6))
        ),
        fault_depth=24,
        faults=(
            *benched(
                "load",
                *("any magic", "any version", "loads in a frame"),
                *("CRC of another polynomial", "half of a word", "forgets nothing", "loaded after a reset"),
                among=MUTANTS,
            ),
            Fault(
                leaf="load",
                name="writes go on",
                old="{write_o, write_weight_o, write_sum_o} <= '0",
                new="{write_weight_o, write_sum_o} <= '0",
            ),
        ),
        thorough=False,
        prefix="core_",
        modules=modules("probe", "load", leaves=()),
    ),
)
