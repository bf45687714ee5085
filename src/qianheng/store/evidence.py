"""Evidence: files kept by their content, with the names they came under as text; never executed, never trusted.

A file lies under its hash, so no name ever becomes a path, the same file twice is one, and a changed one is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import microseconds, moment
from qianheng.core.errors import Damaged
from qianheng.core.ids import stable_id
from qianheng.store.database import Sequence, metadata
from qianheng.store.files import write_whole

CLAIM_EVIDENCE = sa.Table(
    "claim_evidence",
    metadata,
    sa.Column("sequence", Sequence, primary_key=True),
    sa.Column("id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)
NAME_SHOWN = 120
UNKNOWN = "application/octet-stream"


def _text(content: bytes) -> bool:
    try:
        told = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(told) and all(one.isprintable() or one in "\r\n\t" for one in told)


_TYPES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/png", lambda content: content.startswith(b"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", lambda content: content.startswith(b"\xff\xd8\xff")),
    ("image/webp", lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP"),
    ("application/pdf", lambda content: content.startswith(b"%PDF-")),
    ("text/plain", _text),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file added to a claim: what it is called is only text; it lies in the evidence folder under its hash."""

    claim_id: int
    hash: str
    name: str
    type: str
    size: int
    at: datetime
    actor: str

    @property
    def path(self) -> Path:
        """Where it lies in the evidence folder."""
        return Path(self.hash[:2]) / self.hash


def type_of(content: bytes) -> str:
    """What a file is by its first bytes, whatever it is called; `UNKNOWN` if none of those known."""
    return next((name for name, is_one in _TYPES if is_one(content)), UNKNOWN)


def plain_name(name: str) -> str:
    """The last part of a file's name as printable text."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable())[:NAME_SHOWN] or "–"


def keep(connection: Connection, folder: Path, evidence: Evidence, content: bytes) -> None:
    """Keep a file of a claim. The same content again: nothing, the first name stands."""
    write_whole(folder / evidence.path, content)
    row = {name: getattr(evidence, name) for name in Evidence.__dataclass_fields__}
    row |= {"id": stable_id("evidence", evidence.claim_id, evidence.hash), "at": microseconds(evidence.at)}
    if all(known.hash != evidence.hash for known in evidence_of(connection, evidence.claim_id)):
        connection.execute(sa.insert(CLAIM_EVIDENCE), row)


def evidence_of(connection: Connection, claim_id: int) -> list[Evidence]:
    """The files of a claim, in the order they were added."""
    query = sa.select(CLAIM_EVIDENCE).where(CLAIM_EVIDENCE.c.claim_id == claim_id)
    return [_evidence(row) for row in connection.execute(query.order_by(CLAIM_EVIDENCE.c.sequence))]


def content_of(folder: Path, evidence: Evidence) -> bytes:
    """What a file holds. Missing, or not what was added: Damaged."""
    path = folder / evidence.path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Damaged("claims.evidence.missing", place=str(path), name=evidence.name, why=error.strerror) from None
    if hash_of(content) != evidence.hash:
        raise Damaged("claims.evidence.changed", place=str(path), name=evidence.name)
    return content


def hash_of(content: bytes) -> str:
    """The name that content goes by."""
    return blake2b(content, digest_size=32).hexdigest()


def _evidence(row: Any) -> Evidence:
    return Evidence(row.claim_id, row.hash, row.name, row.type, row.size, moment(row.at), row.actor)
