# SPDX-License-Identifier: Apache-2.0
"""core_load: images in the memories of a core, and why others are refused."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, Source, generator
from core_bench import CONFIG
from core_images import HEADER, LENGTH, LINES, MAGIC, SIZE, WRONG, Image, contents, right, with_crc, wrong
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
        self.bench = Bench(dut, [self.source, self.writes])
        dut.idle_i.value, dut.forget_i.value = 1, 0

    def offer(self, image: Image) -> None:
        """Queue the words of an image; the last one is marked."""
        self.source.taken_at.clear()
        self.writes.clear()
        last = len(image.words) - 1
        self.source.waiting.extend(word | (at == last) << 32 for at, word in enumerate(image.words))

    async def load(self, image: Image) -> None:
        """Load an image. There is no network while it comes; after it there is, or an error."""
        dut = self.dut
        self.offer(image)
        while self.source.waiting:
            await self.bench.cycle()
            assert dut.loaded_o.value == 0 or not self.source.taken_at
        if self.source.pause == 0.0:
            assert np.diff(self.source.taken_at).tolist() == [1] * (len(image.words) - 1), "a word a cycle"
        await self.bench.cycle()
        await self.bench.cycle()
        assert int(dut.crc_o.value) == crc_of(image.words), f"{image.name}: CRC"
        got = (int(dut.error_o.value), int(dut.loaded_o.value))
        assert got == (image.error, int(image.error == 0)), f"{image.name}: error, loaded {got}, expected {image.error}"
        if image.error == 0:
            header = (int(dut.design_id_o.value), int(dut.steps_o.value), int(dut.beats_o.value))
            assert header == tuple(image.words[3:6])
        want = [(self.source.taken_at[at] + 1, *write) for at, *write in contents(image)]
        assert self.writes.seen == want, f"{image.name}: written"


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
    for extra, error in ((0, 0), (1, SIZE)):
        size = LINES[name] * (lines + extra)
        header = right(rng, 0).words[:HEADER]
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
    assert np.diff(loading.source.taken_at).tolist() == [1] * (len(image.words) - 1)


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
        assert int(dut.crc_o.value) == crc_of(image.words[:stop])
        dut.forget_i.value = 1
        await loading.bench.cycle()
        dut.forget_i.value = 0
        await loading.bench.cycle()
        assert (dut.loaded_o.value, dut.error_o.value, dut.crc_o.value) == (0, 0, 0)
        await loading.load(right(loading.rng))
