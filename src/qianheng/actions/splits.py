"""The split of super plans as a run keeps and tells it: hour by hour as values, and added up by member."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qianheng.core.money import Micros, yuan
from qianheng.core.plain import Json
from qianheng.delivery.split import MemberHour, MemberKind, Reason
from qianheng.simulator.scenario import Scenario


@dataclass(frozen=True, slots=True)
class MemberRun:
    """One member of a super plan over the whole run: its hours, in order."""

    kind: MemberKind
    id: int
    name: str
    hours: Sequence[MemberHour]

    @property
    def spend(self) -> Micros:
        """What was spent on it."""
        return sum(hour.spend for hour in self.hours)

    @property
    def worth(self) -> float:
        """What that was predicted to be worth, micro-yuan."""
        return sum(hour.worth for hour in self.hours)

    @property
    def marginal(self) -> float | None:
        """Worth per money at the margin, on the mean of the hours in which it won."""
        found = [hour.marginal for hour in self.hours if hour.marginal is not None]
        return sum(found) / len(found) if found else None

    @property
    def reason(self) -> Reason:
        """Why it got what it got in most hours; that it won, if it ever did."""
        reasons = Counter(hour.reason for hour in self.hours)
        return Reason.WON if reasons[Reason.WON] else reasons.most_common(1)[0][0]


def told(hours: Iterable[MemberHour]) -> list[list[Any]]:
    """Hours as plain values; `read` reads them."""
    return [
        [h.at, h.plan_id, h.kind, h.id, h.on_air, h.offered, h.won, h.spend, round(h.worth), h.marginal] for h in hours
    ]


def read(rows: Iterable[Sequence[Any]], plan_id: int, scenario: Scenario) -> list[MemberRun]:
    """The members of a plan, from what the days of a run told."""
    hours: dict[tuple[MemberKind, int], list[MemberHour]] = {}
    for at, plan, kind, id_, *rest in rows:
        if plan == plan_id:
            hour = MemberHour(at, plan, MemberKind(kind), id_, *rest)
            hours.setdefault((hour.kind, hour.id), []).append(hour)
    names: Mapping[int, str] = {product.id: product.name for product in scenario.products()}
    rooms = {room.id: room.creator or room.name for room in scenario.rooms}
    of_kind = {MemberKind.PRODUCT: names}
    return [MemberRun(kind, id_, of_kind.get(kind, rooms)[id_], found) for (kind, id_), found in hours.items()]


def as_json(members: Sequence[MemberRun]) -> list[Json]:
    """Members as plain values, each with its hours."""
    return [
        {
            "kind": member.kind,
            "id": member.id,
            "name": member.name,
            "spend": yuan(member.spend),
            "worth": yuan(round(member.worth)),
            "marginal": _rounded(member.marginal),
            "reason": member.reason,
            "hours": [_hour(hour) for hour in member.hours],
        }
        for member in members
    ]


def _hour(hour: MemberHour) -> Json:
    money = {"spend": yuan(hour.spend), "worth": yuan(round(hour.worth)), "marginal": _rounded(hour.marginal)}
    return {"at": hour.at, "offered": hour.offered, "won": hour.won, **money, "reason": hour.reason}


def _rounded(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"
