"""What this process wrote to the lake of late, kept in memory: asking it opens no file (files never change)."""

from __future__ import annotations

from collections import OrderedDict

import pyarrow as pa


class Remembered:
    """The contents of files by their path, up to `limit` bytes; what was not asked for longest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes = limit, 0
        self._held: OrderedDict[str, pa.Table] = OrderedDict()

    def keep(self, path: str, facts: pa.Table) -> None:
        """Remember a file that has just been written."""
        self._forget(path)
        self._held[path] = whole = facts.combine_chunks()  # a query pays for every piece
        self._bytes += whole.nbytes
        while self._bytes > self._limit:
            self._forget(next(iter(self._held)))

    def of(self, path: str) -> pa.Table | None:
        """What a file holds; `None` if that is not remembered."""
        if path in self._held:
            self._held.move_to_end(path)
        return self._held.get(path)

    def _forget(self, path: str) -> None:
        if (facts := self._held.pop(path, None)) is not None:
            self._bytes -= facts.nbytes
