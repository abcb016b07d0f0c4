# SPDX-License-Identifier: Apache-2.0
"""core_order: additions, words that are asked for and sweeps, in one stream; no chain is broken."""

from __future__ import annotations

from collections import deque
from typing import Any

import cocotb
import numpy as np
from bench import Bench, Case, Sink, Source, generator
from core_bench import CONFIG
from core_tokens import FLAGS, OPERATION, check_width, noise

CASES = {"all": Case(parameters={})}
LATENCY = 1
STALLS = ((0.0, 0.6, 0.0), (0.5, 0.7, 0.0), (0.0, 0.5, 0.0), (0.0, 0.7, 0.5), (0.3, 0.6, 0.3), (0.0, 0.9, 0.8))
"""Pauses of the additions, of the words that are asked for, and of what takes them all."""

Operation = dict[str, int]


def shares(word: int, other: int) -> bool:
    """Return whether two words have the same slot, where there is a memory outside."""
    return CONFIG.memory_bits > 0 and (word - other) % CONFIG.cached_words == 0


class Order:
    """The bench of one core_order."""

    def __init__(self, dut: Any, stalls: tuple[float, float, float]) -> None:
        check_width(dut.op_i, OPERATION)
        rng = self.rng = generator()
        self.dut = dut
        self.ops = Source(dut.op_valid_i, dut.op_ready_o, [dut.op_i], pause=stalls[0], rng=rng)
        self.reads = Source(dut.read_valid_i, dut.read_ready_o, [dut.read_address_i], pause=stalls[1], rng=rng)
        swept = [dut.sweep_read_i, dut.sweep_write_i]
        self.sweeps = Source(dut.sweep_valid_i, dut.sweep_ready_o, swept, pause=stalls[0], rng=rng)
        self.sink = Sink(dut.valid_o, dut.ready_i, [dut.op_o], pause=stalls[2], rng=rng)
        self.bench = Bench(dut, [self.ops, self.reads, self.sweeps, self.sink])
        self.begin()

    def begin(self) -> None:
        """Forget what has to come; another number of beats."""
        self.want_ops: deque[Operation] = deque()
        self.want_reads: deque[int] = deque()
        self.want_sweeps: deque[tuple[int, int]] = deque()
        self.beats = self.rng.getrandbits(8)
        self.dut.beats_i.value = self.beats
        self.ridden = 0

    def put(self, **fields: int) -> None:
        """Queue an operation of core_walk."""
        token = noise(OPERATION, self.rng, **dict.fromkeys(FLAGS, 0) | fields)
        self.ops.waiting.append(token)
        self.want_ops.append(OPERATION.unpack(CONFIG, token))

    def chain(self, word: int, count: int) -> None:
        """Queue additions to a word."""
        for at in range(count):
            self.put(add=1, first=int(at == 0), last=int(at == count - 1), sum=word, **{"from": word})

    def read(self, word: int) -> None:
        """Queue a word that is asked for."""
        self.reads.waiting.append(word)
        self.want_reads.append(word)

    def sweep(self) -> None:
        """Queue a copy."""
        read, write = (self.rng.getrandbits(CONFIG.index_bits) for _ in range(2))
        self.sweeps.waiting.append(read | write << CONFIG.index_bits)
        self.want_sweeps.append((read, write))

    def check(self) -> None:
        """Compare what came with what was given: all in its order, and chains whole."""
        chain = False
        for token in self.sink.tokens:
            op = OPERATION.unpack(CONFIG, token)
            flags = {flag for flag in FLAGS if op[flag]}
            if flags == {"copy", "first", "last"}:
                assert not chain, "a sweep in a chain"
                assert (op["from"], op["sum"], op["beats"]) == (*self.want_sweeps.popleft(), self.beats)
                continue
            if "read" in flags:
                assert (op["from"], op["beats"]) == (self.want_reads.popleft(), self.beats)
                if flags == {"read"}:
                    assert not chain, "a word of its own in a chain"
                    continue
                assert chain, "a read goes with the end of a chain"
                assert not op["first"], "a read goes with what reads"
                assert not shares(op["from"], op["sum"]), "a read may take the slot of a chain"
                self.ridden += 1
            want = self.want_ops.popleft()
            if "read" in flags:
                want = want | {"read": 1, "from": op["from"], "beats": self.beats}
            assert op == want
            chain = bool(op["add"]) and not op["last"]
        self.sink.clear()

    async def finish(self) -> None:
        """Go on until everything came, and nothing else."""
        sources = (self.ops, self.reads, self.sweeps)
        await self.bench.until(lambda: not any(source.waiting for source in sources), timeout=200)
        self.sink.pause, pause = 0.0, self.sink.pause
        await self.bench.cycles(10)
        self.sink.pause = pause
        self.check()
        assert not self.want_ops
        assert not self.want_reads
        assert not self.want_sweeps

    def some(self, count: int) -> None:
        """Queue chains on few words, words that are asked for, and ends of passes."""
        rng = self.rng
        words = [rng.getrandbits(CONFIG.index_bits) for _ in range(6)]
        for _ in range(count):
            self.chain(rng.choice(words), rng.choice((1, 1, 2, 3, 6)))
            for _ in range(rng.choice((0, 1, 3))):
                self.read(rng.choice(words))
            if rng.random() < 0.1:
                self.put(end_of_pass=1)


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def operations(dut: Any, stalls: tuple[float, float, float]) -> None:
    order = Order(dut, stalls)
    await order.bench.start()
    ridden = 0
    for _ in range(6):
        order.begin()
        order.some(40)
        await order.finish()
        ridden += order.ridden
        order.begin()
        for _ in range(order.rng.randrange(20)):
            order.sweep()
        await order.bench.until(lambda: not order.sweeps.waiting)
        order.some(2)
        await order.finish()
    assert ridden > 10, "words go with additions"


@cocotb.test()
async def full_rate(dut: Any) -> None:
    """Words that are asked for take no cycle where they go with additions, and one each elsewhere."""
    order = Order(dut, (0.0, 0.0, 0.0))
    await order.bench.start()
    for chains, length, reads in ((20, 4, 60), (30, 1, 20), (0, 0, 30), (30, 1, 0)):
        order.begin()
        start = order.bench.now
        for _ in range(chains):
            order.chain(2, length)
        for _ in range(reads):
            order.read(1)
        await order.bench.until(lambda: not order.ops.waiting and not order.reads.waiting)
        taken = order.bench.now - start
        await order.bench.cycles(2)
        seen = list(order.sink.seen_at)
        count = chains * length + (0 if length > 1 else reads)
        assert taken == count
        assert len(seen) == count
        assert np.diff(seen).tolist() == [1] * (count - 1)
        assert seen[0] - start == LATENCY
        await order.finish()


@cocotb.test()
async def never_in_a_slot_that_is_added_to(dut: Any) -> None:
    """A word that shares its slot waits for the end of the chain, where there are slots; else it goes with it."""
    order = Order(dut, (0.0, 0.0, 0.0))
    await order.bench.start()
    order.begin()
    order.chain(5, 8)
    order.read(5 + 64)
    await order.finish()
    assert order.ridden == (0 if CONFIG.memory_bits else 1)


@cocotb.test()
async def reset_anywhere(dut: Any) -> None:
    """After a reset no chain is open."""
    order = Order(dut, (0.1, 0.3, 0.3))
    await order.bench.start()
    for _ in range(12):
        order.begin()
        order.some(10)
        await order.bench.cycles(order.rng.randrange(1, 40))
        await order.bench.reset()
        order.begin()
        order.sweep()
        order.read(3)
        await order.finish()
        order.some(4)
        await order.finish()
