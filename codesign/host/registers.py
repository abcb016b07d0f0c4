# SPDX-License-Identifier: Apache-2.0
"""Registers of a board over its link, by address."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.host import link
from codesign.host.exchange import Exchange

_WORD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """The registers behind a link; errors are those of `Exchange.request`."""

    exchange: Exchange

    def read(self, address: int, count: int = 1) -> tuple[int, ...]:
        """Return ``count`` registers from byte ``address`` on."""
        request = link.Read(address=address, count=count)
        return self.exchange.request(request, link.Data, answer_bytes=_WORD * count).words

    def write(self, address: int, data: int) -> None:
        """Write the register at byte ``address``."""
        self.exchange.request(link.Write(address=address, data=data), link.Done, answer_bytes=0)
