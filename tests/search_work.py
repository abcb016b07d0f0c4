# SPDX-License-Identifier: Apache-2.0
"""Trials that train nothing, for the tests of the search; as a script, a search of them: ``FILE ROOT JOBS [BYTES]``."""

from __future__ import annotations

import os
import resource
import sys
import time
from importlib import import_module
from pathlib import Path

from codesign.executor import Workers
from codesign.search import load_search, run_search
from codesign.search.objectives import Figures
from codesign.search.trial import Engine, Outcome, Trial

SECONDS = "SEARCH_TEST_SECONDS"


def work(root: Path, place: str, trial: Trial) -> Outcome:
    """Return figures that follow from the choice, and note that the trial was begun."""
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "begun").open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(float(os.environ.get(SECONDS, "0")))
    model, training = trial.design.model, trial.design.training
    accuracy = 0.5 + 0.05 * model.weight_bits - 0.01 * training.sparsity
    if trial.hopeless is not None and accuracy < trial.hopeless:
        return Outcome(engines={}, problem="given up", pruned=True, seconds=0.1)
    lut = 500 * model.weight_bits + 100
    cycles = 1000 / (1 + training.sparsity)
    rate = trial.clock_mhz * 1e6 / cycles
    figures = Figures(
        origin="predicted",
        accuracy=accuracy,
        cycles_per_frame=cycles,
        cycles_p95=2 * cycles,
        frames_per_second=rate,
        frames_per_second_per_lut=rate / lut,
        lut=lut,
        ff=10,
        dsp=1,
        bram=1,
    )
    return Outcome(figures=figures, engines={"fc1": Engine(pe=4)}, p=8, dense_cycles=4000.0, seconds=0.1)


def main(search: Path, root: Path, jobs: int, largest: int | None = None) -> None:
    """Search; no file may become larger than ``largest`` bytes, as on a full disk."""
    if largest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    done = import_module("search_work").work  # as workers import it
    found = run_search(load_search(search), root, workers=Workers(jobs=jobs), work=done)
    print(len(found.tried))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
