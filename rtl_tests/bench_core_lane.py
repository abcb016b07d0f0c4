# SPDX-License-Identifier: Apache-2.0
"""core_lane: weight times delta on sums that are read, filled in, kept or written in the cycles that it names."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, generator
from core_bench import CONFIG, signed
from core_tokens import extreme

CASES = {"all": Case(parameters={})}
READ, ADD, WRITE, ANSWER = 2, 4, 5, 2
"""Cycles after issue in which a sum is read, added to and written; from a read to its answer."""
WORDS, LINES = 16, 32
SUM_WORDS, WEIGHT_LINES = CONFIG.sum_words + CONFIG.cached_words, CONFIG.weight_lines + CONFIG.cached_lines


class Operations:
    """Issues chains of operations, each on a word that no operation is about to write; reads in the free cycles.

    Words are filled with what comes from outside, and weights written, now and then.

    Each pin gets its value in its cycle, and noise in all others.
    """

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut, self.pause, self.rng = dut, pause, generator()
        addresses = self.rng.sample(range(SUM_WORDS), WORDS)
        below = 1 << SUM_WORDS.bit_length() - 1  # words from here on lie in a memory of their own
        if below < SUM_WORDS:
            addresses += [addresses[0] % (SUM_WORDS - below), addresses[0] % (SUM_WORDS - below) + below]
        self.weights = dict.fromkeys(self.rng.sample(range(WEIGHT_LINES), LINES), 0)
        self.sums = dict.fromkeys(addresses, 0)
        self.now = self.left = self.done = self.answers = 0
        self.word = addresses[0]
        self.total = 0
        self.free_at = dict.fromkeys(addresses, 0)
        self.plan: dict[int, dict[str, int]] = {}
        self.writes: dict[int, int] = {}
        self.due: dict[int, int] = {}
        self.running = False

    def _at(self, later: int, **pins: int) -> None:
        self.plan.setdefault(self.now + later, {"valid_i": 0}).update(pins)

    def _issue(self) -> None:
        first = self.left == 0
        if first:
            self.word = self.rng.choice([word for word, at in self.free_at.items() if at <= self.now])
            self.left = self.rng.choice((1, 1, 2, 5))
            self._at(READ, read_i=1, read_address_i=self.word)
        self.left -= 1
        line, delta = self.rng.choice(list(self.weights)), extreme(self.rng, CONFIG.delta_bits)
        if self.rng.random() < 0.2:
            self._weight(line)
        start = self.sums[self.word] if first else self.total
        self.total = signed(start + self.weights[line] * delta, CONFIG.sum_bits)
        self._at(0, delta_i=delta)
        self._at(1, line_i=line)
        self._at(ADD, first_i=int(first))
        for stage in range(ADD + 1):
            self._at(stage)
            self.plan[self.now + stage]["valid_i"] |= 1 << stage
        self.free_at[self.word] = self.now + WRITE
        if self.left == 0:
            self._write(self.word, self.total, fill_i=0)

    def _weight(self, line: int) -> None:
        """Write a line of weights, which is seen from the next cycle on, unless it is read in this one."""
        if self.plan.get(self.now, {}).get("line_i") != line:
            self.weights[line] = extreme(self.rng, CONFIG.weight_bits)
            self._at(0, write_weight_i=1, weight_address_i=line, weight_data_i=self.weights[line])

    def _write(self, word: int, sums: int, **pins: int) -> None:
        """Write a sum in its cycle."""
        self._at(WRITE, write_i=1, write_address_i=word, **pins)
        self.writes[self.now + WRITE] = word
        self.free_at[word] = self.now + WRITE  # read two cycles later: a margin that core_lanes does not need
        self.sums[word] = sums

    def _fill(self) -> None:
        """Write what comes from outside: also between the operations of a chain, whose total it leaves alone."""
        words = [word for word, at in self.free_at.items() if at <= self.now and (word != self.word or self.left == 0)]
        if words:
            sums = signed(self.rng.getrandbits(CONFIG.sum_bits), CONFIG.sum_bits)
            self._write(self.rng.choice(words), sums, fill_i=1, fill_data_i=sums)

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        if self.running and rng.random() >= self.pause:
            if rng.random() < 0.2:
                self._fill()
            else:
                self._issue()
        soon = [self.plan.get(self.now + later, {}) for later in (0, 1)]
        if self.running and rng.random() < 0.1 and "write_weight_i" not in soon[0]:
            self._weight(rng.choice([line for line in self.weights if line != soon[1].get("line_i")]))
        pins = self.plan.pop(self.now, {})
        settled = [word for word, at in self.free_at.items() if at < self.now]
        if "read_i" not in pins and settled and rng.random() < 0.5:
            word = rng.choice(settled)
            pins |= {"read_i": 1, "read_address_i": word}
            self.due[self.now + ANSWER] = self.sums[word]
        names = ["line_i", "delta_i", "read_address_i", "first_i", "fill_i", "fill_data_i", "write_address_i"]
        if self.running:
            dut.write_weight_i.value = pins.pop("write_weight_i", 0)
            names += ["weight_address_i", "weight_data_i"]
        for name in ("valid_i", "read_i", "write_i"):
            getattr(dut, name).value = pins.pop(name, 0)
        for name in names:
            pin = getattr(dut, name)
            pin.value = pins.pop(name, rng.getrandbits(len(pin))) & ((1 << len(pin)) - 1)
        assert not pins

    def sample(self, _: int) -> bool:
        want = self.due.pop(self.now, None)
        if want is not None:
            got = self.dut.sum_o.value.to_signed()
            assert got == want, f"got {got}, expected {want}"
            self.answers += 1
        self.done += self.writes.pop(self.now, None) is not None
        self.now += 1
        return True


async def load(bench: Bench, agent: Operations) -> None:
    """Write all weights and sums; while none is written, the address is noise."""
    dut, rng = bench.dut, agent.rng
    weights = (dut.write_weight_i, dut.weight_address_i, dut.weight_data_i)
    sums = (dut.load_sum_i, dut.load_address_i, dut.load_data_i)
    weights[0].value = sums[0].value = 0
    for memory, bits, (write, address, data) in (
        (agent.weights, CONFIG.weight_bits, weights),
        (agent.sums, CONFIG.sum_bits, sums),
    ):
        for place in memory:
            memory[place] = extreme(rng, bits)
            write.value, address.value, data.value = 1, place, memory[place] & ((1 << bits) - 1)
            await bench.cycle()
            write.value, address.value, data.value = 0, rng.choice(list(memory)), rng.getrandbits(bits)
            await bench.cycle()


@cocotb.test()
@cocotb.parametrize(pause=(0.0, 0.4, 0.9))
async def operations(dut: Any, pause: float) -> None:
    agent = Operations(dut, pause)
    agent.free_at = {}
    bench = Bench(dut, [agent])
    await bench.start()
    await load(bench, agent)
    agent.free_at = dict.fromkeys(agent.sums, 0)
    agent.running = True
    await bench.until(lambda: agent.done > 800)
    agent.pause = 1.0
    await bench.cycles(WRITE + 1)
    if agent.left:  # the chain that was cut off
        agent.sums[agent.word] = agent.total
        del agent.free_at[agent.word]
    answers = agent.answers
    await bench.until(lambda: agent.answers > answers + 4 * WORDS)
    assert not agent.writes, "every sum was written"
