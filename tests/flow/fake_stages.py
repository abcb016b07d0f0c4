# SPDX-License-Identifier: Apache-2.0
"""Stages that take no time, for tests of the runner."""

from __future__ import annotations

import time
import warnings

from codesign.errors import ConversionError, ToolNotFoundError, VideoWarning
from codesign.flow.stage import Job, Stage


def one(job: Job) -> None:
    print("one works")
    (job.folder / "one.txt").write_text(f"seed {job.design.design.seed}")
    (job.folder / "deep").mkdir()
    (job.folder / "deep" / "more.txt").write_text("more")


def two(job: Job) -> str:
    text = (job.upstream["1_one"] / "one.txt").read_text()
    (job.folder / "two.txt").write_text(f"{text}, {job.design.clip.frames} frames")
    return "a note"


def three(job: Job) -> None:
    (job.folder / "three.txt").write_text((job.upstream["2_two"] / "two.txt").read_text())


def crash(job: Job) -> None:
    (job.folder / "half.txt").write_text("half")
    print("about to crash")
    raise ZeroDivisionError("by hand")


def refuse(job: Job) -> None:
    print(f"a tool said this about {job.folder.name}")
    raise ConversionError("cannot convert", where="fc1")


def warn(job: Job) -> None:  # noqa: ARG001
    for text, about in (("cut", "a.avi"), ("cut elsewhere", "a.avi"), ("torn", "b.avi")):
        warnings.warn(VideoWarning(f"{about}: {text}", about=about), stacklevel=1)


def no_tool(job: Job) -> None:
    (job.folder / "half.txt").write_text("half")
    raise ToolNotFoundError("vitis-run", how="install it")


def slow(job: Job) -> None:
    """Three steps of a second; goes on from the last finished one."""
    checkpoint = job.folder / "checkpoint.txt"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    starts = job.folder / "starts.txt"
    starts.write_text((starts.read_text() if starts.exists() else "") + f"{done} ")
    for step in range(done, 3):
        job.bar(step / 3, "steps")
        time.sleep(0.6)
        checkpoint.write_text(str(step + 1))


def stage(name: str, body: str, *after: str, **options: object) -> Stage:
    return Stage(name=name, body=f"flow.fake_stages:{body}", after=after, **options)  # type: ignore[arg-type]


ONE = stage("1_one", "one")
TWO = stage("2_two", "two", "1_one", config=("clip",))
THREE = stage("3_three", "three", "2_two")
STAGES = (ONE, TWO, THREE)


def meet(job: Job) -> None:
    """Wait until the stage beside has written its name; only works if both run at the same time."""
    mine = job.folder.name.removesuffix(".partial")
    (job.cache / mine).write_text("here")
    deadline = time.monotonic() + 60
    while len(list(job.cache.iterdir())) < 2:
        if time.monotonic() > deadline:
            raise TimeoutError("the other stage did not come")
        time.sleep(0.02)
    (job.folder / "met.txt").write_text("met")


def wait(job: Job) -> None:
    """Say it is there, then wait to be stopped; leave a mark when it is."""
    (job.cache / "waiting").write_text("here")
    try:
        time.sleep(120)
    except KeyboardInterrupt:
        (job.cache / "stopped").write_text("yes")
        raise


def crash_beside(job: Job) -> None:
    """Crash once the stage beside is waiting."""
    while not (job.cache / "waiting").exists():
        time.sleep(0.02)
    raise ZeroDivisionError("by hand")


def stops_once(job: Job) -> None:
    """Note whether it goes on from earlier work; be interrupted if asked to, once."""
    starts = job.folder / "starts.txt"
    starts.write_text(starts.read_text() + "resumed " if starts.exists() else "new ")
    if (job.cache / "stop").exists():
        (job.cache / "stop").unlink()
        raise KeyboardInterrupt
