"""What money that went back follows from: a claim and the day it was granted of, or invalid traffic (SPEC 3.6, 5.8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from qianheng.actions.cases import Asked
from qianheng.actions.giving_back import INVALID, invalid_id, spent_day
from qianheng.actions.promises import as_of, promises, unit_id
from qianheng.actions.proofs import Books, charge_part, found_by_key, zone_of
from qianheng.actions.traces import Traces
from qianheng.core.money import Micros
from qianheng.core.proof import Part
from qianheng.facts.invalid import Invalidity
from qianheng.facts.schema import Kind
from qianheng.guarantee.claims import Share, Standing, Step
from qianheng.ledger.sources import Sources
from qianheng.ledger.transfers import State, Transfer
from qianheng.measures.days import Days
from qianheng.measures.query import invalid_of, plan_day_invalid
from qianheng.store import claims, ledger

REASONS = tuple(Invalidity)


class Granted(NamedTuple):
    """What was granted on a claim of one day's spend."""

    claim_id: int
    share: Share


def granted(connection: Connection, plan_id: int, day: date, by: datetime) -> Iterator[Granted]:
    """What had been granted of a plan's day by a time, claim by claim."""
    for standing in claims.claims(connection, plan_id=plan_id):
        made = standing.made(Step.APPROVE)
        if made is not None and made.at <= by:
            yield from (Granted(standing.claim.id, share) for share in made.shares if share.day == day)


def claim_proof(books: Books, found: Transfer) -> Iterator[Part]:
    """A payment of a claim: what was granted of a day, less what of it went elsewhere."""
    standing = claims.load(books.connection, found.reference)
    about = ledger.transfers_about(books.connection, found.reference)
    share, together = _share(standing, about, found)
    claim = standing.claim
    told = {"claim": str(claim.id), "condition": str(claim.condition), "plan_id": str(claim.plan_id)}
    told |= {"day": share.day.isoformat()}
    yield Part("granted", share.amount, told, below=lambda: _day(books, standing, share))
    for one in together:
        yield Part("went_elsewhere", one.amount, {"id": str(one.id)}, -1, f"transfer {one.id}")


def _share(standing: Standing, about: list[Transfer], found: Transfer) -> tuple[Share, list[Transfer]]:
    """The day's share that a transfer pays, and the other promises of it; they were recorded day after day."""
    promise = found.id if found.pending_id is None else found.pending_id
    made = standing.made(Step.APPROVE)
    pending = iter([one for one in about if one.state is State.PENDING])
    for share in made.shares if made else ():
        held, left = list[Transfer](), share.amount
        while left:
            held.append(next(pending))
            left -= held[-1].amount
        if promise in {one.id for one in held}:
            return share, [one for one in held if one.id != promise]
    raise AssertionError("a claim's transfers are those of its shares")


def _day(books: Books, standing: Standing, share: Share) -> Iterator[Part]:
    """The day's charges, less what else was given back of them, and what stays spent."""
    claim, made = standing.claim, standing.made(Step.APPROVE)
    assert made is not None  # something was granted
    zone = zone_of(books, claim.plan_id)
    asked = Asked(books.connection, books.lake, made.at, claim.plan_id, Days(share.day, share.day, zone))
    charges, traces = list(asked.facts("f.id, f.at, f.amount", Kind.CHARGE)), Traces(asked)
    spent: Micros = sum(amount for _, _, amount in charges)
    told = {"plan_id": str(claim.plan_id), "day": share.day.isoformat(), "count": len(charges)}
    yield Part("captured", spent, told, below=lambda: (charge_part(traces, *charge) for charge in charges))
    besides = list(_given_back(books, (claim.plan_id, share.day), made.at, claim.id))
    yield from besides
    yield Part("stays_spent", spent - sum(-part.counts for part in besides) - share.amount, factor=-1, fact="rule")
    yield _sources(books, claim.plan_id, share.day, zone)


def _given_back(books: Books, of: tuple[int, date], by: datetime, but: int) -> Iterator[Part]:
    """What had been given back of a plan's day by a time, otherwise than by one claim."""
    for one in as_of(promises(books.connection, unit_id(*of)), by):
        if one.standing:
            factor = -1 if one.standing > 0 else 1
            yield Part("compensated", one.pending.amount, _id(one.pending), factor, f"transfer {one.pending.id}")
    for claim_id, share in granted(books.connection, *of, by):
        if claim_id != but:
            yield Part("claimed", share.amount, {"claim": str(claim_id)}, -1, f"claim {claim_id} {share.day}")
    for back in ledger.transfers_about(books.connection, invalid_id(*of)):
        if back.as_told.at <= by:
            yield Part("invalid_returned", back.amount, _id(back), -1, f"transfer {back.id}")


def _sources(books: Books, plan_id: int, day: date, zone: str) -> Part:
    """Where the day's spend came from: what is given back goes there in proportion."""
    of = spent_day(books.connection, books.lake, plan_id, day, zone)
    return sources_part(books, of.sources if of else Sources())


def sources_part(books: Books, of: Sources) -> Part:
    """Cash and each grant of credit that paid something, told beside what it paid for."""
    brought = ledger.named(books.connection, [use.grant_id for use in of.grants])
    parts = [Part("paid_by_cash", of.cash, fact="cash")] if of.cash else []
    parts += [
        Part("paid_by_grant", amount, {"id": str(key), "why": brought[key].reason}, fact=f"grant {key}")
        for key, amount in of.grants
    ]
    return Part("sources", of.total, {"count": len(parts)}, 0, below=lambda: parts)


def invalid_proof(books: Books, found: Transfer) -> Iterator[Part]:
    """A credit for invalid traffic: the charges found invalid by then, less what was credited of them besides."""
    plan_id, day = found_by_key(books, found, Kind.INVALID, invalid_id)
    now, zone = found.as_told.at, zone_of(books, plan_id)
    asked = Asked(books.connection, books.lake, now, plan_id, Days(day, day, zone))
    sums = invalid_of(asked.lake.query(asked.connection, plan_day_invalid(asked.days), as_of=now))
    amount = sums[plan_id, day].amount
    told = {"plan_id": str(plan_id), "day": day.isoformat()}
    yield Part(INVALID, amount, told, below=lambda: _by_reason(asked))
    left = amount - found.amount
    for one in ledger.transfers_about(books.connection, found.reference):
        if one.id != found.id and one.as_told.at <= now:
            left -= one.amount
            yield Part("moved_besides", one.amount, _id(one), -1, f"transfer {one.id}")
    if left:
        yield Part("no_room", left, factor=-1, fact="rule")


def _by_reason(asked: Asked) -> Iterator[Part]:
    """The facts that say which charges are invalid, by their reason, each with its charge."""
    charged = {charge[0]: charge for charge in asked.facts("f.id, f.at, f.amount", Kind.CHARGE)}
    traces, rows = Traces(asked), list(asked.facts("f.id, f.reason, f.amount", Kind.INVALID))
    for number, why in enumerate(REASONS):
        held = [charge_part(traces, *charged[key]) for key, reason, _ in rows if reason == number]
        amount = sum(amount for _, reason, amount in rows if reason == number)
        if held:
            yield Part("found_invalid", amount, {"why": str(why), "count": len(held)}, below=lambda held=held: held)  # type: ignore[misc]


def _id(one: Transfer) -> dict[str, str]:
    return {"id": str(one.id)}
