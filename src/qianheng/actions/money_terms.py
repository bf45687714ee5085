"""The terms of money of this installation: those shipped, or an operator's own in `QIANHENG_HOME/terms.toml`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from qianheng.ledger.terms import SHIPPED, Terms, read_terms
from qianheng.store.database import own_file


def terms() -> Terms:
    """The terms in force now; read again when their file has changed."""
    path = own_file("terms.toml") or SHIPPED
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Terms:
    return read_terms(path)
