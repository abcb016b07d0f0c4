# SPDX-License-Identifier: Apache-2.0
"""core_load: images in the memories of a core, and why others are refused."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, Source, generator
from bench_core_probe import patterns
from core_bench import CONFIG
from core_images import (
    HEADER,
    LENGTH,
    LINE_BEATS,
    LINES,
    MAGIC,
    MEMORY,
    NO_MEMORY,
    SIZE,
    WRONG,
    Image,
    contents,
    outside,
    right,
    with_crc,
    wrong,
)
from core_tokens import LANES

from codesign.core.image import _DEPTHS as DEPTHS
from codesign.core.records import SECTIONS

CASES = {"all": Case(parameters={})}
Write = tuple[int, str, int, int]
"""Cycle, memory (of weights and sums with the lane), address, contents."""


class Writes:
    """Notes every write."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.clear()

    def clear(self) -> None:
        self.seen: list[Write] = []

    def drive(self) -> None:
        pass

    def sample(self, now: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        line, address, word = (pin.value.to_unsigned() for pin in (dut.line_o, dut.address_o, dut.word_o))
        strobe = dut.write_o.value.to_unsigned()
        for at, name in enumerate(list(SECTIONS)[:5]):
            if strobe >> at & 1:
                self.seen.append((now, name, address, line >> len(dut.line_o) - 32 * LINES[name]))
        slots = (dut.write_weight_o, "weights", CONFIG.weight_slot), (dut.write_sum_o, "sums", CONFIG.sum_slot)
        for pin, name, bits in slots:
            kept = (1 << min(bits, CONFIG.sum_bits)) - 1
            for lane in range(LANES):
                if pin.value.to_unsigned() >> lane & 1:
                    value = word >> bits * (lane % (32 // bits)) & kept
                    self.seen.append((now, f"{name} {lane}", address, value))
        return False


class Outside:
    """Plays core_memory: takes beats, answers reads, and is idle some time after the last of them."""

    def __init__(self, dut: Any, pause: float, rng: random.Random) -> None:
        self.dut, self.pause, self.rng = dut, pause, rng
        self.clear()

    def clear(self) -> None:
        self.writes: list[tuple[int, int]] = []
        self.words: dict[int, int] = {}
        self.asked: list[int] = []
        self.busy = self.restarts = 0
        self.silent = self.broken = self.error = False

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        go = rng.random() >= self.pause and not self.silent
        dut.write_ready_i.value, dut.read_ready_i.value = int(go), int(go and not self.asked)
        answers = bool(self.asked) and go and rng.random() >= self.pause
        dut.data_valid_i.value = int(answers)
        data = self.words.get(self.asked.pop(), 0) ^ self.broken if answers else rng.getrandbits(len(dut.data_i))
        dut.data_i.value = data
        dut.memory_idle_i.value = int(self.busy == 0)
        dut.memory_silent_i.value, dut.memory_error_i.value = int(self.silent), int(self.error)

    def sample(self, _: int) -> bool:
        dut = self.dut
        if dut.rst_ni.value == 0:
            return False
        if dut.memory_restart_o.value == 1:
            self.writes.clear()
            self.restarts += 1
        if dut.memory_restart_o.value == 1 or dut.restart_i.value == 1:
            self.asked.clear()
        self.busy = max(0, self.busy - 1)
        if dut.write_valid_o.value == 1 and dut.write_ready_i.value == 1:
            address, data = dut.write_address_o.value.to_unsigned(), dut.write_data_o.value.to_unsigned()
            self.writes.append((address, data))
            self.words[address] = data
            self.busy = self.rng.randrange(1, 10)
        if dut.read_valid_o.value == 1 and dut.read_ready_i.value == 1:
            self.asked.append(dut.read_address_o.value.to_unsigned())
        return False


def crc_of(words: Sequence[int]) -> int:
    """Return the CRC-32 of words."""
    return zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words))


class Loading:
    """A bench that loads images and checks what comes of each."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.rng = dut, generator()
        pins = [dut.load_data_i, dut.load_last_i]
        self.source = Source(dut.load_valid_i, dut.load_ready_o, pins, pause=pause, rng=self.rng)
        self.writes = Writes(dut)
        self.outside = Outside(dut, pause, self.rng)
        self.bench = Bench(dut, [self.source, self.writes, self.outside])
        dut.idle_i.value, dut.forget_i.value, dut.restart_i.value = 1, 0, 0

    def offer(self, image: Image) -> None:
        """Queue the words of an image; the last one is marked."""
        self.source.taken_at.clear()
        self.writes.clear()
        last = len(image.words) - 1
        self.source.waiting.extend(word | (at == last) << 32 for at, word in enumerate(image.words))

    async def load(self, image: Image) -> None:
        """Load an image. There is no network while it comes; after it there is, or an error."""
        dut, restarts = self.dut, self.outside.restarts
        self.offer(image)
        while self.source.waiting:
            await self.bench.cycle()
            assert dut.loaded_o.value == 0 or not self.source.taken_at
        if self.source.pause == 0.0 and not MEMORY:
            assert np.diff(self.source.taken_at).tolist() == [2] * (len(image.words) - 1), "a word in two cycles"
        await self.bench.cycle()
        if image.error == 0:
            assert dut.memory_idle_i.value == 1 or not MEMORY, "loaded before all is written"
        await self.bench.cycles(2)
        assert int(dut.crc_o.value) == crc_of(image.words), f"{image.name}: CRC"
        got = (int(dut.error_o.value), int(dut.loaded_o.value))
        assert got == (image.error, int(image.error == 0)), f"{image.name}: error, loaded {got}, expected {image.error}"
        if image.error == 0:
            header = (int(dut.design_id_o.value), int(dut.steps_o.value), int(dut.beats_o.value))
            assert header == tuple(image.words[3:6])
        want = [(self.source.taken_at[at] + 2, *write) for at, *write in contents(image)]
        assert self.writes.seen == want, f"{image.name}: written"
        if MEMORY and self.outside.restarts > restarts:
            await self.check_outside(image)

    async def check_outside(self, image: Image) -> None:
        """Compare what was written outside, once the last beat is taken: the test of the memory, and lines."""
        while self.dut.write_valid_o.value == 1:
            await self.bench.cycle()
        tried = list(patterns())
        assert self.outside.writes[: len(tried)] == tried
        lines = list(outside(image))
        assert len(self.outside.writes) == len(tried) + len(lines), f"{image.name}: beats outside"
        for (address, data), (where, what, counts) in zip(self.outside.writes[len(tried) :], lines, strict=True):
            assert (address, data & counts) == (where, what), f"{image.name}: beat outside"


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.4))
async def right_images(dut: Any, pause: float) -> None:
    loading = Loading(dut, pause)
    await loading.bench.start()
    assert (dut.loaded_o.value, dut.error_o.value) == (0, 0)
    for most in (0, 5, 5, 20):
        await loading.load(right(loading.rng, most))


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.4))
async def wrong_images(dut: Any, pause: float) -> None:
    """Each is taken to its last word; a right one after it loads, and one after that is refused again."""
    loading = Loading(dut, pause)
    await loading.bench.start()
    for name in (*WRONG, *WRONG, *["cut off", "data"] * 10):
        await loading.load(wrong(name, loading.rng))
        if loading.rng.random() < 0.5:
            await loading.load(right(loading.rng))


@cocotb.test(skip=not MEMORY)
async def right_behind_a_broken_one(dut: Any) -> None:
    """An image that breaks off leaves a beat that is still to be taken; the next one comes at once."""
    loading = Loading(dut, 0.0)
    loading.outside.pause = 0.8
    await loading.bench.start()
    rng, inside = loading.rng, LINES["weights"] * CONFIG.weight_lines
    for _ in range(10):
        size, image = inside + 5 * LINES["weights"], right(rng)
        broken = [*right(rng, 0).words[:HEADER], SECTIONS["weights"], size, *[rng.getrandbits(32) for _ in range(size)]]
        end = rng.randint(HEADER + 2 + inside, len(broken))
        loading.offer(Image(name="cut off", words=broken[:end], error=LENGTH, until=end))
        last = len(image.words) - 1
        loading.source.waiting.extend(word | (at == last) << 32 for at, word in enumerate(image.words))
        await loading.bench.until(lambda: not loading.source.waiting, timeout=5000)
        await loading.bench.cycles(3)
        assert (dut.error_o.value, dut.loaded_o.value) == (0, 1)
        await loading.check_outside(image)


@cocotb.test()
async def cut_off_anywhere(dut: Any) -> None:
    """Of one image every beginning, of one word to all but one."""
    loading = Loading(dut, 0.0)
    await loading.bench.start()
    whole = right(loading.rng, 1).words
    for end in range(1, len(whole)):
        await loading.load(Image(name=f"{end} words", words=whole[:end], error=LENGTH, until=end))
    await loading.load(Image(name="whole", words=whole, until=len(whole)))


@cocotb.test()
@cocotb.parametrize(name=list(SECTIONS))
async def depth(dut: Any, name: str) -> None:
    """A memory is written to its last line, and a line more is refused."""
    loading = Loading(dut, 0.0)
    await loading.bench.start()
    rng, lines = loading.rng, getattr(CONFIG, DEPTHS[name])
    most = lines + 9 if MEMORY and name == "weights" else lines
    for extra, error in ((0, 0), (1, SIZE)):
        size = LINES[name] * (most + extra)
        header = right(rng, 0).words[:HEADER]
        if most != lines:
            header[7] = MEMORY - most * LINE_BEATS
        words = [*header, SECTIONS[name], size, *[rng.getrandbits(32) for _ in range(size)], 0]
        until = len(words) - 1 - LINES[name] if error else len(words) + 1
        await loading.load(Image(name=name, words=with_crc(words), error=error, until=until))


@cocotb.test()
async def between_frames(dut: Any) -> None:
    """The first word waits until no frame is inside, and none begins from its offer on; the others do not wait."""
    loading = Loading(dut, 0.0)
    await loading.bench.start()
    await loading.load(right(loading.rng))
    assert dut.loaded_o.value == 1
    dut.idle_i.value = 0
    image = right(loading.rng)
    loading.offer(image)
    for _ in range(20):
        await loading.bench.cycle()
        assert not loading.source.taken_at
        assert dut.loaded_o.value == 0
    loading.source.waiting.clear()
    loading.source.offering = False
    await loading.bench.cycle()
    assert dut.loaded_o.value == 1, "not taken: the network is still there"
    dut.idle_i.value = 1
    loading.offer(image)
    await loading.bench.cycle()
    assert len(loading.source.taken_at) == 1
    dut.idle_i.value = 0
    await loading.bench.until(lambda: not loading.source.waiting)
    await loading.bench.cycles(2)
    assert (dut.loaded_o.value, dut.error_o.value) == (1, 0)
    assert MEMORY or np.diff(loading.source.taken_at).tolist() == [2] * (len(image.words) - 1)


@cocotb.test(skip=not MEMORY)
@cocotb.parametrize(fault=("silent", "error", "broken"))
async def no_memory(dut: Any, fault: str) -> None:
    """A memory that does not answer, or not with what was written: no network; the next load tries again."""
    loading = Loading(dut, 0.2)
    await loading.bench.start()
    for _ in range(5):
        setattr(loading.outside, fault, True)
        image = right(loading.rng)
        loading.offer(image)
        await loading.bench.until(lambda: not loading.source.waiting, timeout=2000)
        await loading.bench.cycles(2)
        assert (dut.error_o.value, dut.loaded_o.value) == (NO_MEMORY, 0)
        assert not loading.writes.seen, "nothing of it is written"
        setattr(loading.outside, fault, False)
        await loading.load(right(loading.rng))


@cocotb.test(skip=not MEMORY)
async def restarted_anywhere(dut: Any) -> None:
    """A restart of core_memory loses what it was asked for, and a load that asks it for something does not hang."""
    loading = Loading(dut, 0.3)
    await loading.bench.start()
    for at in range(20):
        image = right(loading.rng)
        loading.offer(image)
        wait = HEADER if at % 2 else loading.rng.randint(1, len(image.words))
        await loading.bench.until(lambda wait=wait: len(loading.source.taken_at) >= wait, timeout=2000)  # type: ignore[misc]
        for _ in range(3):
            await loading.bench.cycles(loading.rng.randrange(1, 60))
            dut.restart_i.value = 1
            await loading.bench.cycle()
            dut.restart_i.value = 0
        await loading.bench.until(lambda: not loading.source.waiting, timeout=2000)
        await loading.bench.cycles(2)
        assert (dut.error_o.value, dut.loaded_o.value) == (0, 1)
        await loading.check_outside(image)


@cocotb.test(skip=not MEMORY)
@cocotb.parametrize(fault=("silent", "error"))
async def memory_lost(dut: Any, fault: str) -> None:
    """A memory that ceases to answer while a network is loaded: there is none."""
    loading = Loading(dut, 0.0)
    await loading.bench.start()
    for at in range(30):
        image = right(loading.rng, 12)
        loading.offer(image)
        stop = loading.rng.randint(HEADER + 1, len(image.words) - 1) if at % 3 else len(image.words) - 1
        await loading.bench.until(lambda stop=stop: len(loading.source.taken_at) >= stop, timeout=2000)  # type: ignore[misc]
        setattr(loading.outside, fault, True)
        await loading.bench.until(lambda: not loading.source.waiting, timeout=2000)
        await loading.bench.cycles(2)
        assert (dut.error_o.value, dut.loaded_o.value) == (NO_MEMORY, 0)
        setattr(loading.outside, fault, False)
        await loading.load(right(loading.rng))


@cocotb.test(skip=not MEMORY)
@cocotb.parametrize(fault=("silent", "error"))
async def memory_lost_as_an_image_begins(dut: Any, fault: str) -> None:
    """What the network before lost is no error of an image whose memory is good."""
    loading = Loading(dut, 0.0)
    await loading.bench.start()
    for wait in range(10):
        await loading.load(right(loading.rng))
        setattr(loading.outside, fault, True)
        await loading.bench.cycles(wait)
        loading.offer(right(loading.rng))
        await loading.bench.until(lambda: len(loading.source.taken_at) >= 2)
        setattr(loading.outside, fault, False)
        await loading.bench.until(lambda: not loading.source.waiting, timeout=2000)
        await loading.bench.cycles(2)
        assert (dut.loaded_o.value, dut.error_o.value) == (1, 0), f"begun after {wait} cycles"


@cocotb.test(skip=not MEMORY)
@cocotb.parametrize(fault=("silent", "error"))
async def memory_lost_within_a_frame(dut: Any, fault: str) -> None:
    """The core is reset, and has no network some cycles later; the next load finds the memory, or not."""
    loading = Loading(dut, 0.0)
    await loading.bench.start()
    for at in range(12):
        await loading.load(right(loading.rng))
        dut.idle_i.value = at % 2
        await loading.bench.cycles(loading.rng.randrange(4))
        assert (dut.loaded_o.value, dut.lost_o.value) == (1, 0)
        setattr(loading.outside, fault, True)
        seen = []
        for _ in range(8):
            await loading.bench.cycle()
            seen.append((int(dut.lost_o.value), int(dut.loaded_o.value), int(dut.error_o.value)))
        lost = [one[0] for one in seen].index(1)
        assert [one[1:] for one in seen] == [(1, 0)] * (lost + 3) + [(0, NO_MEMORY)] * (5 - lost)
        setattr(loading.outside, fault, at % 3 == 0)
        dut.idle_i.value = 1
        image = right(loading.rng)
        loading.offer(image)
        await loading.bench.until(lambda: not loading.source.waiting, timeout=2000)
        await loading.bench.cycles(4)
        assert (dut.loaded_o.value, dut.error_o.value) == ((0, NO_MEMORY) if at % 3 == 0 else (1, 0))
        setattr(loading.outside, fault, False)


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    """There is no network after a reset; the rest of an image is refused, and the next one loads."""
    loading = Loading(dut, 0.2)
    await loading.bench.start()
    for _ in range(10):
        await loading.load(right(loading.rng))
        image = right(loading.rng)
        loading.offer(image)
        while len(loading.source.taken_at) < loading.rng.randint(1, len(image.words)):
            await loading.bench.cycle()
        left = [word & 0xFFFFFFFF for word in loading.source.waiting]
        await loading.bench.reset()
        assert (dut.loaded_o.value, dut.error_o.value) == (0, 0)
        if left:
            error = MAGIC if len(left) > 1 else LENGTH
            await loading.load(Image(name="rest", words=left, error=error, until=0))
    await loading.load(right(loading.rng))


@cocotb.test()
async def forgotten_anywhere(dut: Any) -> None:
    """What has come of an image is forgotten, a network too; the next word is the first one of another image."""
    loading = Loading(dut, 0.0)
    await loading.bench.start()
    for _ in range(10):
        image = right(loading.rng)
        loading.offer(image)
        stop = loading.rng.randint(1, len(image.words))
        while len(loading.source.taken_at) < stop:
            await loading.bench.cycle()
        loading.source.waiting.clear()
        loading.source.offering = False
        await loading.bench.cycles(2)
        assert int(dut.crc_o.value) == crc_of(image.words[:stop])
        dut.forget_i.value = 1
        await loading.bench.cycle()
        dut.forget_i.value = 0
        await loading.bench.cycle()
        assert (dut.loaded_o.value, dut.error_o.value, dut.crc_o.value) == (0, 0, 0)
        await loading.load(right(loading.rng))
