# SPDX-License-Identifier: Apache-2.0
"""core_tags: what is known of a token's slot, whatever is written while the token is on its way."""

from __future__ import annotations

from typing import Any

import cocotb
from bench import Bench, Case, generator

CASES = {
    f"{entries} of {width} bits": Case(parameters={"Entries": entries, "Width": width})
    for entries, width in ((16, 8), (2, 37), (4, 12))
}


class Tags:
    """The memory and its two stages; tokens are taken, wait and go on at random, and so are entries written.

    A token in stage 2 sees what was last written to its slot, up to the cycle before.
    """

    def __init__(self, dut: Any, take: float, move: float, write: float) -> None:
        self.dut, self.rng = dut, generator()
        self.chances = take, move, write
        self.entries: dict[int, int] = {}
        self.stages: list[int | None] = [None, None]
        self.taken = self.seen = 0
        self.written: int | None = None  # in this cycle

    def _index(self) -> int:
        """Return a slot; often one that is on its way."""
        busy = [index for index in self.stages if index is not None]
        if busy and self.rng.random() < 0.5:
            return self.rng.choice(busy)
        return self.rng.getrandbits(len(self.dut.index_i))

    def write(self, index: int) -> None:
        """Write an entry in this cycle."""
        dut, self.written = self.dut, index
        self.entries[index] = self.rng.getrandbits(len(dut.write_entry_i))
        dut.write_i.value, dut.write_index_i.value, dut.write_entry_i.value = 1, index, self.entries[index]

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        take, move, write = (rng.random() < chance for chance in self.chances)
        move = move or self.stages[1] is None
        take &= move or self.stages[0] is None
        index = self._index()
        dut.take_i.value, dut.move_i.value, dut.index_i.value = int(take), int(move), index
        dut.write_i.value, self.written = 0, None
        dut.write_index_i.value, dut.write_entry_i.value = self._index(), rng.getrandbits(len(dut.write_entry_i))
        missing = [slot for slot in range(1 << len(dut.index_i)) if slot not in self.entries]
        if missing:
            take = False
            dut.take_i.value = 0
            self.write(missing[0])
        elif write:
            self.write(index if rng.random() < 0.3 else self._index())
        self.next = [index if take else None if move else self.stages[0], self.stages[0 if move else 1]]
        self.taken += take

    def sample(self, _: int) -> bool:
        at = self.stages[1]
        if at is not None and at != self.written:
            got, want = int(self.dut.entry_o.value), self.entries[at]
            assert got == want, f"slot {at}: got {got}, expected {want}"
            self.seen += 1
        self.stages = self.next
        return at is not None


@cocotb.test()
@cocotb.parametrize(
    take=(0.4, 1.0),
    move=(0.2, 0.7, 1.0),
    write=(0.1, 0.6, 1.0),
)
async def entries(dut: Any, take: float, move: float, write: float) -> None:
    tags = Tags(dut, take, move, write)
    bench = Bench(dut, [tags])
    await bench.start()
    await bench.until(lambda: tags.taken > 300)
    assert tags.seen > 120
