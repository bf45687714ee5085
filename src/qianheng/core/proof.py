"""A sum of money and how it follows from its parts, down to single facts: a tree that adds up exactly (SPEC 3.6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypeAlias

from qianheng.core.errors import Damaged
from qianheng.core.money import YUAN, ratio_text, yuan

Amount: TypeAlias = "int | Fraction"
REST = "rest"  # the kind of a part that stands for those not shown


@dataclass(frozen=True, slots=True)
class Part:
    """An amount (micro-yuan, exact), what it is (`kind`, `told` as JSON values) and the parts it follows from.

    `factor`: what a micro-yuan of it counts in the amount above; with 0 it is only told beside the others. `fact` names
    the single thing it is ("order 17"), which follows from nothing else. `below` gives the parts each time anew.
    """

    kind: str
    amount: Amount
    told: Mapping[str, Any] = field(default_factory=dict)
    factor: Amount = 1
    fact: str | None = None
    below: Callable[[], Iterable[Part]] = tuple

    @property
    def counts(self) -> Amount:
        """What it counts in the amount above."""
        return self.amount * self.factor


def limited(part: Part, most: int) -> Part:
    """The same tree with at most so many parts of a kind below each; the rest of a kind is one part that sums it."""
    return replace(part, below=lambda: _limited(part.below(), most))


def _limited(parts: Iterable[Part], most: int) -> Iterator[Part]:
    shown: dict[tuple[str, bool], int] = {}
    rest: dict[tuple[str, bool, Amount], Part] = {}
    for part in parts:
        group = (part.kind, part.factor == 0)
        shown[group] = shown.get(group, 0) + 1
        if shown[group] <= most:
            yield limited(part, most)
            continue
        key = (*group, part.factor)
        known = rest.get(key, Part(REST, 0, {"of": part.kind, "count": 0}, part.factor, REST))
        told = {"of": part.kind, "count": known.told["count"] + 1}
        rest[key] = replace(known, amount=known.amount + part.amount, told=told)
    yield from rest.values()


def checked(part: Part) -> Iterator[Part]:
    """All parts of a tree, from the top. Parts that do not add up to what they stand under: Damaged."""
    yield part
    below = Fraction(0)
    for one in part.below():
        below += one.counts
        yield from checked(one)
    if part.fact is None and below != part.amount:
        raise Damaged("proof.fault.does_not_add_up", place=part.kind, amount=money(part.amount), parts=money(below))


def written(part: Part) -> Iterator[str]:
    """The tree as JSON text, piece by piece, so that it need not fit into memory."""
    exact = {} if _whole(part.amount) else {"exact": str(Fraction(part.amount, YUAN))}
    factor = {} if part.factor == 1 else {"factor": str(part.factor)}
    head = {"kind": part.kind, "amount": money(part.amount), **exact, **factor, **part.told}
    if part.fact is not None:
        head["fact"] = part.fact
    yield json.dumps(head, ensure_ascii=False)[:-1]
    first = True
    for one in part.below():
        yield ', "parts": [' if first else ", "
        first = False
        yield from written(one)
    yield "}" if first else "]}"


def money(amount: Amount) -> str:
    """An exact amount in yuan as a decimal, to six places, half even, where it has more."""
    whole = int(amount) if _whole(amount) else None
    return yuan(whole) if whole is not None else ratio_text(Fraction(amount, YUAN)) or ""


def _whole(amount: Amount) -> bool:
    return Fraction(amount).denominator == 1
