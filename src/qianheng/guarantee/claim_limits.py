"""How much may still be claimed of some days of a plan, and which limit says so (SPEC 5.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from qianheng.core.money import YUAN, Micros
from qianheng.guarantee.claim_policy import Caps
from qianheng.guarantee.claims import Share
from qianheng.guarantee.overlap import SpentDay


@dataclass(frozen=True, slots=True)
class Taken:
    """What other claims have taken or ask: by day of this plan what is asked and undecided; what all claims granted of
    the shop's days by month ((year, month)), and of this plan; micro-yuan.
    """

    asked: Mapping[date, Micros] = field(default_factory=dict)
    of_month: Mapping[tuple[int, int], Micros] = field(default_factory=dict)
    of_plan: Micros = 0


@dataclass(frozen=True, slots=True)
class Room:
    """What may be claimed of each day, and the limits that made it less than the spend."""

    shares: tuple[Share, ...]
    limits: tuple[str, ...]

    @property
    def total(self) -> Micros:
        """What may be claimed in all."""
        return sum(share.amount for share in self.shares)


def room(days: Sequence[SpentDay], taken: Taken, caps: Caps) -> Room:
    """What may be claimed of these days, within every cap.

    Limits, by the names of `Room.limits`: `given_back` (compensated, claimed, or credited as invalid before), `asked`,
    `share_of_spend`, `per_month`, `per_plan`.
    """
    limits: dict[str, None] = {}
    shares = []
    for day in days:
        asked, claimed = taken.asked.get(day.day, 0), day.claimed_amount
        left = {
            "": day.sources.total,
            "given_back": day.left,
            "asked": day.left - asked,
            "share_of_spend": int(day.sources.total * Fraction(caps.share_of_spend)) - claimed - asked,
        }
        least = min(left, key=lambda name: (left[name], name != ""))
        limits |= {least: None}
        shares.append(Share(day.day, max(left[least], 0)))
    for month in sorted({(share.day.year, share.day.month) for share in shares}):
        here = [(share.day.year, share.day.month) == month for share in shares]
        shares, capped = _capped(shares, here, _left(caps.per_month, taken.of_month.get(month, 0)))
        limits |= {"per_month": None} if capped else {}
    shares, capped = _capped(shares, [True] * len(shares), _left(caps.per_plan, taken.of_plan))
    limits |= {"per_plan": None} if capped else {}
    return Room(tuple(shares), tuple(name for name in limits if name))


def shared_out(amount: Micros, room_: Sequence[Share]) -> tuple[Share, ...]:
    """An amount over days in proportion to what each has room for, exactly; days that get nothing are left out.

    More than there is room for: ValueError.
    """
    parts = _allocate(amount, [share.amount for share in room_])
    return tuple(Share(share.day, part) for share, part in zip(room_, parts, strict=True) if part)


def _left(cap: Decimal | None, taken: Micros) -> Micros | None:
    return None if cap is None else max(int(cap * YUAN) - taken, 0)


def _capped(shares: list[Share], here: Sequence[bool], most: Micros | None) -> tuple[list[Share], bool]:
    """The shares with those `here` lowered to `most` together, and whether they were."""
    amounts = [share.amount if inside else 0 for share, inside in zip(shares, here, strict=True)]
    if most is None or sum(amounts) <= most:
        return shares, False
    lowered = _allocate(most, amounts)
    kept = zip(shares, here, lowered, strict=True)
    return [Share(share.day, part) if inside else share for share, inside, part in kept], True


def _allocate(amount: Micros, room_: Sequence[Micros]) -> list[Micros]:
    """An amount in proportion to `room_`, none getting more than its own."""
    whole, before, parts = sum(room_), 0, []
    if not 0 <= amount <= whole:
        raise ValueError(f"{amount} of {whole}")
    for one in room_:
        parts.append(amount * (before + one) // whole - amount * before // whole if whole else 0)
        before += one
    return parts
