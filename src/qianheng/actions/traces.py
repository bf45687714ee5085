"""What brought a fact: the look or click it came of, and the decision that bid for it (SPEC 3.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
import pyarrow as pa

from qianheng.actions.cases import Asked
from qianheng.core.days import moment
from qianheng.core.placements import Placement
from qianheng.core.proof import Part
from qianheng.delivery.journal import crossed
from qianheng.delivery.shown import IDS_PER_OPPORTUNITY
from qianheng.facts.schema import Kind


class Traces:
    """The looks and clicks behind the charges and orders of a plan's days, each kind asked for once."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def behind(self, kind: str, key: str) -> Iterable[Part]:
        """What stands behind a fact, as parts that are only told."""
        found = self._charges if kind == "charge" else self._orders
        return (Part("brought_by", 0, told, 0, "told") for told in found.get(int(key), ()))

    @cached_property
    def _charges(self) -> dict[int, list[dict[str, str]]]:
        looks = self.asked.facts("f.id, f.at, f.impression_id, f.placement", Kind.CHARGE)
        return {
            key: [self._look("impression", look, at, placement, self._decided)] for key, at, look, placement in looks
        }

    @cached_property
    def _orders(self) -> dict[int, list[dict[str, str]]]:
        found = self.asked.facts("f.id, f.touched_at, f.click_id, f.placement", Kind.ORDER, "f.click_id <> -1")
        return {key: [self._look("touch", look, at, placement, self._touched)] for key, at, look, placement in found}

    def _look(self, name: str, look: int, at: int, placement: int, decided: dict[int, int]) -> dict[str, str]:
        told = {f"{name}_id": str(look), "at": moment(at, self.asked.days.timezone).isoformat()}
        told |= {"placement": Placement(placement).name.lower()}
        return told | ({"opportunity_id": str(decided[look])} if look in decided else {})

    @cached_property
    def _decided(self) -> dict[int, int]:
        """The opportunity of each impression of these days."""
        days = self.asked.days
        return self._opportunities(f"d.at >= {days.since} AND d.at < {days.until}")

    @cached_property
    def _touched(self) -> dict[int, int]:
        """The same of the looks that brought orders, which may be older."""
        times = {at for _, at in self.asked.facts("f.id, f.touched_at", Kind.ORDER, "f.click_id <> -1")}
        return self._opportunities(f"d.at IN ({', '.join(map(str, sorted(times)))})") if times else {}

    def _opportunities(self, condition: str) -> dict[int, int]:
        mine = f"d.plan_id = {self.asked.plan_id} AND d.slot > 0 AND {condition}"
        query = f"SELECT d.id, d.slot FROM decisions AS d WHERE {mine}"
        found = self.asked.lake.query(self.asked.connection, query, as_of=self.asked.now)
        return dict(_impressions(found, self.asked.plan_id))


def _impressions(decisions: pa.Table, plan_id: int) -> Iterator[tuple[int, int]]:
    """(impression, opportunity) of the places that a plan won."""
    opportunities = np.atleast_1d(crossed(decisions["id"].to_numpy(), plan_id))
    impressions = opportunities * IDS_PER_OPPORTUNITY + decisions["slot"].to_numpy()
    yield from zip(impressions.tolist(), opportunities.tolist(), strict=True)
