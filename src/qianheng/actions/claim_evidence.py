"""Evidence of claims: read from where the claimant has it, bounded, and kept by its content (SPEC 5.8)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection

from qianheng.actions.claim_facts import policy_of
from qianheng.actions.claims import subject, visible
from qianheng.actions.desk import Desk
from qianheng.core.actors import Act, demand
from qianheng.core.errors import BadInput, Refused, raise_together
from qianheng.guarantee.claim_policy import EvidenceRule
from qianheng.guarantee.claims import OPEN
from qianheng.store import evidence as kept
from qianheng.store.database import reading
from qianheng.store.evidence import Evidence


def attach(desk: Desk, claim_id: int, paths: Sequence[Path]) -> list[Evidence]:
    """Add files to a claim that is not decided; all its files then. A file it has already changes nothing.

    Files that cannot be read, are too large or of a type that is not taken: BadInput, all told, none is kept. A claim
    that is decided, or would have too many: Refused.
    """
    folder = folder_of(desk)
    demand(desk.actor, Act.FILE_CLAIM)
    with desk.database.begin() as connection:
        standing = visible(connection, desk, claim_id)
        if standing.status not in OPEN:
            raise Refused("claims.evidence.decided", place=subject(claim_id))
        rule = policy_of(standing.claim.at.date()).evidence
        contents = list(zip(paths, _read(paths, rule), strict=True))
        _count(connection, claim_id, [content for _, content in contents], rule)
        for path, content in contents:
            what = (kept.hash_of(content), kept.plain_name(str(path)), kept.type_of(content), len(content))
            kept.keep(connection, folder, Evidence(claim_id, *what, desk.now, desk.actor.name), content)
            detail = dict(zip(("hash", "name", "type", "size"), what, strict=True))
            desk.enter(connection, Act.FILE_CLAIM, subject(claim_id), detail, standing.claim.shop_id)
        return kept.evidence_of(connection, claim_id)


def evidence(desk: Desk, claim_id: int) -> list[Evidence]:
    """The files of a claim, each looked at: one missing or changed is Damaged."""
    with reading(desk.database) as connection:
        visible(connection, desk, claim_id)
        found = kept.evidence_of(connection, claim_id)
    for one in found:
        kept.content_of(folder_of(desk), one)
    return found


def folder_of(desk: Desk) -> Path:
    """Where evidence lies: beside the lake."""
    return desk.lake.folder.with_name("evidence")


def _read(paths: Sequence[Path], rule: EvidenceRule) -> list[bytes]:
    contents, faults = [], list[BadInput]()
    for path in paths:
        try:
            with path.open("rb") as file:
                content = file.read(rule.most_bytes + 1)
        except OSError as error:
            faults.append(BadInput("core.unreadable_file", place=str(path), why=error.strerror))
            continue
        contents.append(content)
        if len(content) > rule.most_bytes:
            faults.append(BadInput("claims.evidence.too_large", place=str(path), most=f"{rule.most_bytes:,}"))
        elif (found := kept.type_of(content)) not in rule.types:
            types = ", ".join(rule.types)
            faults.append(BadInput("claims.evidence.type", place=str(path), found=found, types=types))
    raise_together(faults)
    return contents


def _count(connection: Connection, claim_id: int, contents: Sequence[bytes], rule: EvidenceRule) -> None:
    files = {one.hash for one in kept.evidence_of(connection, claim_id)} | {kept.hash_of(one) for one in contents}
    if len(files) > rule.most_files:
        raise Refused("claims.evidence.too_many", most=rule.most_files, found=len(files))
