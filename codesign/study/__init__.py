# SPDX-License-Identifier: Apache-2.0
"""`codesign compare`: variants of a design trained over several seeds, and what each costs and classifies correctly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.face import lazy

if TYPE_CHECKING:
    from codesign.study.config import Study, Variant, check_here, load_study, of_designs, open_study
    from codesign.study.results import Result, Results
    from codesign.study.run import run_study

__all__ = ["Result", "Results", "Study", "Variant", "check_here", "load_study", "of_designs", "open_study", "run_study"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "Result": "codesign.study.results",
        "Results": "codesign.study.results",
        "Study": "codesign.study.config",
        "Variant": "codesign.study.config",
        "check_here": "codesign.study.config",
        "load_study": "codesign.study.config",
        "of_designs": "codesign.study.config",
        "open_study": "codesign.study.config",
        "run_study": "codesign.study.run",
    },
)
