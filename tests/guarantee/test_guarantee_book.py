"""The book of cases: each row is judged from its JSON and compared with what it expects."""

import json
import re
import tomllib
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from qianheng.guarantee.explain import explain
from qianheng.guarantee.reading import parse_case
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import answer, evaluate

BOOK = Path(__file__).parents[1] / "books" / "guarantee.toml"
ROWS = tomllib.loads(BOOK.read_text(encoding="utf-8"))["case"]


def case_of(row: dict[str, Any]) -> dict[str, Any]:
    """The JSON case that a row of the book stands for."""
    day, zone = date.fromisoformat(row.get("day", "2025-10-01")), ZoneInfo(row.get("timezone", "Asia/Shanghai"))
    ids = count(1)

    def at(text: str) -> str:
        told = re.fullmatch(r"([+-]?\d+) (.*)", text)
        if told is None:
            return text
        clock = datetime.fromisoformat(f"{day + timedelta(days=int(told[1]))}T{told[2]}")
        return clock.replace(tzinfo=zone).isoformat()

    def fact(when: str, amount: str, fact_id: str | None = None) -> dict[str, Any]:
        return {"id": fact_id or f"f{next(ids)}", "at": at(when), "amount": amount}

    def charge(when: str, amount: str, more: Any = None) -> dict[str, Any]:
        boost, fact_id = (None, more["id"]) if isinstance(more, dict) else (more, None)
        return {**fact(when, amount, fact_id), "boost": boost}

    def order(when: str, amount: str, more: dict[str, Any]) -> dict[str, Any]:
        refunds = [fact(*refund) for refund in more.get("refunds", [])]
        kind = {"boost": more.get("boost"), "flagged": more.get("flagged", False)}
        return {**fact(when, amount, more.get("id")), **kind, "refunds": refunds}

    targets = row.get("targets", [["-3 10:00", "payment", "7.5"]])
    if "half_hourly_targets" in row:
        changed = [
            [f"0 {i * 30 // 60:02}:{i * 30 % 60:02}", "payment", f"{i + 1}"] for i in range(row["half_hourly_targets"])
        ]
        targets = [*targets, *changed]
    orders = [[*told, {}][:3] for told in row.get("orders", [])]
    return {
        "policy": row.get("policy", "seed"),
        "unit": {
            "plan_id": "p1",
            "kind": "product",
            "bid_mode": row.get("bid_mode", "target_roi"),
            "day": day.isoformat(),
            "timezone": zone.key,
            "commission_rate": row.get("commission_rate"),
        },
        "targets": [{"at": at(when), "goal": goal, "value": value} for when, goal, value in targets],
        "charges": [charge(*told) for told in row.get("charges", [])],
        "orders": [order(*told) for told in orders for _ in range(told[2].get("times", 1))],
        "events": [{"at": at(when), "type": kind} for when, kind in row.get("events", [])],
        "now": at(row.get("now", "+8 00:00")),
    }


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_the_book_of_cases_holds(row: dict[str, Any]) -> None:
    case = parse_case(json.dumps(case_of(row)), "book")
    told = answer(evaluate(shipped().in_force(case.policy, case.unit.day), case), case.unit.timezone)
    expected = {key: None if value == "" else value for key, value in row["expect"].items()}
    assert {key: told[key] for key in expected} == expected
    assert ("forgone" in told) == (told["status"] == "void")


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_every_case_of_the_book_can_be_explained(row: dict[str, Any]) -> None:
    case = parse_case(json.dumps(case_of(row)), "book")
    explanation = explain(shipped().in_force(case.policy, case.unit.day), case)
    told = explanation["verdict"]
    counted = [order for order in explanation["orders"] if order["left_out"] is None]
    assert len(counted) == told["orders"]
    assert (explanation["would_have_kept"] is None) == all(c["passed"] for c in told["checks"]) or not told["checks"]


def test_names_in_the_book_are_unique() -> None:
    names = [row["name"] for row in ROWS]
    assert len(names) == len(set(names))
