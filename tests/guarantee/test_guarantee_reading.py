"""Reading a case: everything is checked, all faults are told at once with their place."""

import copy
import json
from datetime import datetime
from typing import Any

import pytest

from qianheng.core.days import microseconds
from qianheng.core.errors import BadInput
from qianheng.core.words import LANGUAGES, speak
from qianheng.guarantee.case import Event
from qianheng.guarantee.reading import Given, parse_case, read_case

AT = "2025-10-01T09:30:00+08:00"
CASE: dict[str, Any] = {
    "policy": "seed",
    "unit": {"plan_id": "p1", "kind": "product", "bid_mode": "target_roi", "day": "2025-10-01"},
    "targets": [{"at": AT, "goal": "payment", "value": "7.5"}],
    "charges": [{"id": "c1", "at": AT, "amount": "1000.00", "boost": None}],
    "orders": [{"id": "o1", "at": AT, "amount": "300.00", "refunds": [{"id": "r1", "at": AT, "amount": "300.00"}]}],
    "events": [{"at": AT, "type": "pause"}],
    "now": "2025-10-09T00:00:00+08:00",
}
REMOVED = object()
FAULTS: list[tuple[str, Any, str]] = [
    ("orders.0.amount", "-0.01", "orders[0].amount: -0.01 is below zero"),
    ("orders.0.amount", "12,5", "orders[0].amount: '12,5' is not a number"),
    ("orders.0.amount", 1.5, "orders[0].amount: 1.5 is written without quotes"),
    ("orders.0.amount", "-1e999999999", "orders[0].amount: '-1e999999999' is not a number"),
    ("orders.0.amount", True, "orders[0].amount: True is not a number"),
    ("orders.0.amount", "NaN", "orders[0].amount: 'NaN' is not a number"),
    ("orders.0.amount", None, "orders[0].amount: None is not a number"),
    ("orders.0.amount", "0.0000001", "orders[0].amount: 0.0000001 has more than six decimals"),
    ("orders.0.amount", REMOVED, "orders[0].amount: missing"),
    ("orders.0.refunds.0.amount", "-1", "orders[0].refunds[0].amount: -1 is below zero"),
    ("orders.0.refunds.0.at", "yesterday", "orders[0].refunds[0].at: 'yesterday' is not a time"),
    ("orders.0.at", "2025-10-01T09:30:00", "orders[0].at: '2025-10-01T09:30:00' has no offset"),
    ("orders.0.at", 1759282200, "orders[0].at: 1759282200 is not a time"),
    ("orders.0.at", "0001-01-01T00:00:00+08:00", "orders[0].at: 0001-01-01T00:00:00+08:00 is out of range"),
    ("orders.0.flagged", "no", "orders[0].flagged: expected true or false"),
    ("orders.0.boost", "video", "orders[0].boost: expected one of null, plan, creative"),
    ("orders.0.id", "", "orders[0].id: expected printable text"),
    ("orders.0.id", "a\x1b[31m", "orders[0].id: expected printable text"),
    ("orders.0.gmv", "1", "orders[0].gmv: unknown key; known here: id, at, amount, boost, flagged, refunds"),
    ("orders.0", "o1", "orders[0]: expected a table"),
    ("orders", {}, "orders: expected a list"),
    ("charges.0.amount", "-1", "charges[0].amount: -1 is below zero"),
    ("targets.0.value", "0", "targets[0].value: a target of 0 holds nothing"),
    ("targets.0.value", "-7.5", "targets[0].value: a target of -7.5 holds nothing"),
    ("targets.0.value", "1e-999999999", "targets[0].value: 1e-999999999 has more than 18 decimals"),
    ("targets.0.value", "1e999999999", "targets[0].value: '1e999999999' is not a number"),
    ("targets.0.value", [], "targets[0].value: [] is not a number"),
    ("targets.0.value", None, "targets[0].value: missing"),
    ("targets.0.goal", "gmv", "targets[0].goal: expected one of payment, net, settled, overall, profit"),
    ("targets.0.goal", [], "targets[0].goal: expected one of payment"),
    ("events.0.type", "stop", "events[0].type: expected one of pause, resume, delete"),
    ("unit", REMOVED, "unit: missing"),
    ("unit.day", "01.10.2025", "unit.day: '01.10.2025' is not a day"),
    ("unit.day", "9999-12-31", "unit.day: 9999-12-31 is out of range"),
    ("unit.timezone", "Shanghai", "unit.timezone: 'Shanghai' is not a time zone"),
    ("unit.kind", "video", "unit.kind: expected one of product, live"),
    ("unit.bid_mode", "roi", "unit.bid_mode: expected one of target_roi, max_delivery"),
    ("unit.commission_rate", "20", "unit.commission_rate: 20 is not a commission rate"),
    ("unit.commission_rate", "-0.1", "unit.commission_rate: -0.1 is not a commission rate"),
    ("unit.plan_id", None, "unit.plan_id: expected printable text"),
    ("policy", "seeds", "policy: 'seeds' is not a policy; known are none, qianchuan-creative-boost"),
    ("now", REMOVED, "now: missing"),
    ("currency", "CNY", "currency: unknown key"),
]


def with_fault(place: str, value: Any, case: dict[str, Any] = CASE) -> dict[str, Any]:
    case = copy.deepcopy(case)
    *path, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    node: Any = case
    for part in path:
        node = node[part]
    if value is REMOVED:
        del node[last]
    else:
        node[last] = value
    return case


@pytest.mark.parametrize(("place", "value", "told"), FAULTS, ids=[told for *_, told in FAULTS])
def test_a_fault_is_told_with_its_place(place: str, value: Any, told: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_case(json.dumps(with_fault(place, value)), "case.json")
    assert str(refusal.value).startswith("case.json: ")
    assert f"\n  {told}" in str(refusal.value)


def test_all_faults_are_told_at_once() -> None:
    case = with_fault("orders.0.amount", "-1", with_fault("charges.0.at", "soon", with_fault("unit.day", "today")))
    with pytest.raises(BadInput) as refusal:
        parse_case(json.dumps(case), "case.json")
    assert [line.split(":")[0].strip() for line in str(refusal.value).splitlines()[1:]] == [
        "unit.day",
        "charges[0].at",
        "orders[0].amount",
    ]


@pytest.mark.parametrize("text", ["", "{", "[1,", '{"a": \ud800}'.encode("utf-8", "surrogatepass"), b"\xff\xfe\xfd"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(BadInput, match="not valid JSON"):
        parse_case(text, "case.json")


@pytest.mark.parametrize("text", ["[]", "3", "null", '"case"'])
def test_json_that_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_case(text, "case.json")
    assert "expected a table" in str(refusal.value)


def test_what_has_a_natural_default_may_be_left_out() -> None:
    case = parse_case(json.dumps({"unit": {"plan_id": 7, "day": "2025-10-01"}, "now": AT}), "case.json")
    assert (case.policy, case.unit.plan_id, case.unit.timezone) == ("seed", "7", "Asia/Shanghai")
    assert (case.charges, case.orders, case.log.targets) == ((), (), ())


def test_now_and_policy_may_be_given_beside_the_case() -> None:
    case = parse_case(json.dumps(with_fault("now", REMOVED)), "case.json", Given(now=0, policy="none"))
    assert (case.now, case.policy) == (0, "none")


def test_a_goal_without_roi_needs_no_value() -> None:
    profit = with_fault("targets.0", {"at": AT, "goal": "profit", "value": None})
    assert parse_case(json.dumps(profit), "case.json").log.targets[0].value is None


def test_events_are_read() -> None:
    assert parse_case(json.dumps(CASE), "case.json").log.events[0].type is Event.PAUSE


def test_faults_are_told_in_both_languages() -> None:
    told = set()
    for language in LANGUAGES:
        speak(language)
        with pytest.raises(BadInput) as refusal:
            parse_case(json.dumps(with_fault("orders.0.amount", "-1")), "case.json")
        told.add(str(refusal.value))
    speak("en")
    assert len(told) == len(LANGUAGES)


@pytest.mark.parametrize(
    "written",
    [
        "2025-10-01T09:30:00+08:00",
        "2025-10-01 09:30:00-11:30",
        "2025-W40-3T09:30:00+08:00",
        "2025-10-01T09:30:00.1234Z",
        "2025-10-01T093000.5+08:00",
        "20251001T093000.123+08:00",
        "2025-10-01T09:30+08:00:07",
        "2025-10-01T23:59:59+23:59",
        "2025-10-01T00:00:00.12+08",
    ],
)
def test_a_time_is_read_exactly_however_it_is_written(written: str) -> None:
    read = read_case({"unit": {"plan_id": "p", "day": "2025-10-01"}, "now": written}, "case", Given())
    assert read.now == microseconds(datetime.fromisoformat(written))


@pytest.mark.parametrize(
    "written",
    [
        "2025-10-01T24:00:00+08:00",
        "2025-10-01T09:60:00+08:00",
        "2025-10-01T09:30:60+08:00",
        "2025-10-01T+9:30:00+08:00",
        "2025-10-01T09.30.00+08:00",
        "2025-10-01T09:3\uff10:00+08:00",
        "2025-10-01T093000.1.12+08",
        "2025-02-29T09:30:00+08:00",
    ],
)
def test_what_only_looks_like_a_time_is_refused(written: str) -> None:
    with pytest.raises(BadInput, match="is not a time"):
        read_case({"unit": {"plan_id": "p", "day": "2025-10-01"}, "now": written}, "case", Given())


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 12])
def test_facts_read_together_are_those_read_one_by_one(count: int) -> None:
    facts = [{"id": i, "at": f"2025-10-01T09:{i:02d}:00+08:00", "amount": f"{i}.5"} for i in range(count)]
    whole = {"unit": {"plan_id": "p", "day": "2025-10-01"}, "charges": facts, "now": "2025-10-09T00:00:00+08:00"}
    apart = [read_case(whole | {"charges": [fact]}, "case", Given()).charges[0] for fact in facts]
    assert list(read_case(whole, "case", Given()).charges) == apart
    broken = [*facts[:-1], {**facts[-1], "amount": "much", "colour": "red"}]
    with pytest.raises(BadInput) as refused:
        read_case(whole | {"charges": broken}, "case", Given())
    assert f"charges[{count - 1}].amount" in str(refused.value)
    assert f"charges[{count - 1}].colour" in str(refused.value)
