"""Evidence is kept by its content: no name becomes a path, twice is once, and a changed file is noticed."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qianheng.core.errors import Damaged
from qianheng.guarantee.claims import Claim, Condition, Share
from qianheng.store import claims, evidence
from qianheng.store.evidence import UNKNOWN, Evidence, content_of, hash_of, keep, plain_name, type_of

AT = datetime(2025, 9, 12, tzinfo=UTC)
CLAIM = Claim(1, 1, 7, Condition.DISPUTE, (Share(AT.date(), 5),), "why", "chen", AT, {}, ("standard", 1))


def one(content: bytes, name: str = "shot.png") -> Evidence:
    return Evidence(CLAIM.id, hash_of(content), plain_name(name), type_of(content), len(content), AT, "chen")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        ("转化率为零\n".encode(), "text/plain"),
        (b"#!/bin/sh\nrm -rf /\n", "text/plain"),  # text it is, and text it stays: nothing is ever run
        (b"\x7fELF\x02\x01", UNKNOWN),
        (b"MZ\x90\x00", UNKNOWN),
        (b"PK\x03\x04", UNKNOWN),
        (b"\x89PN", UNKNOWN),
        (b"a\x00b", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_a_file_is_what_its_first_bytes_say(content: bytes, found: str) -> None:
    assert type_of(content) == found


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\system32\\evil.exe", "evil.exe"),
        ("/tmp/a/截图 1.png", "截图 1.png"),
        ("a\x00\x1b[31m.png", "a[31m.png"),
        ("..", ".."),
        ("", "–"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_name_is_only_text(name: str, told: str) -> None:
    assert plain_name(name) == told


@pytest.mark.parametrize("name", ["../../escaped", "..", "/abs/olute", "a/b", "a\\b"])
def test_no_name_leads_out_of_the_folder(engine: Engine, tmp_path: Path, name: str) -> None:
    folder, content = tmp_path / "evidence", b"%PDF-1.7 a"
    with engine.begin() as connection:
        claims.file(connection, CLAIM)
        keep(connection, folder, one(content, name), content)
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "qianheng.db" not in path.name]
    assert kept == [folder / hash_of(content)[:2] / hash_of(content)]
    assert not kept[0].stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def test_the_same_file_twice_is_one_and_keeps_its_first_name(engine: Engine, tmp_path: Path) -> None:
    content = b"%PDF-1.7 a"
    with engine.begin() as connection:
        claims.file(connection, CLAIM)
        for name in ("first.pdf", "second.pdf"):
            keep(connection, tmp_path, one(content, name), content)
        (found,) = evidence.evidence_of(connection, CLAIM.id)
    assert found == one(content, "first.pdf")
    assert content_of(tmp_path, found) == content


def test_a_file_that_is_missing_or_changed_is_told(engine: Engine, tmp_path: Path) -> None:
    content = b"%PDF-1.7 a"
    with engine.begin() as connection:
        claims.file(connection, CLAIM)
        keep(connection, tmp_path, one(content), content)
    path = tmp_path / one(content).path
    path.write_bytes(b"%PDF-1.7 b")
    with pytest.raises(Damaged, match="not what was added"):
        content_of(tmp_path, one(content))
    path.unlink()
    with pytest.raises(Damaged, match="missing"):
        content_of(tmp_path, one(content))
