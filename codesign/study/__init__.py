# SPDX-License-Identifier: Apache-2.0
"""`codesign compare`: variants of a design trained over several seeds, and what each costs and tells right."""

from codesign.study.config import Study, Variant, check_here, load_study, of_designs, open_study
from codesign.study.results import Result, Results
from codesign.study.run import run_study

__all__ = ["Result", "Results", "Study", "Variant", "check_here", "load_study", "of_designs", "open_study", "run_study"]
