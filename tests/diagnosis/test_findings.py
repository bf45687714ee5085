"""Findings: what is wrong is seen, called by its name, dated and told once; what is well is left alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.money import YUAN
from qianheng.core.words import known
from qianheng.diagnosis.causes import SHIPPED, finding_rules
from qianheng.diagnosis.evidence import Severity
from qianheng.diagnosis.findings import Anomaly, Finding, findings
from qianheng.measures.history import About, History, PlanHistory, Setting, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import Goal, PlanKind
from tests.diagnosis.drawn_shops import FIRST, LIVE, PLAN, SHOP, Change, Drawn, Hour, unchanged

RULES = finding_rules()
BEGINS = FIRST + timedelta(days=15, hours=10)


def from_then(part: str, plan: str = "", **factors: float) -> Change:
    """From the beginning on some figures of a product ("": of all) are so many times as usual."""

    def changed(at: datetime, of: str, product: str, hour: Hour) -> Hour:
        if at < BEGINS or part not in ("", product) or (of and plan not in ("", of)):
            return hour
        return replace(hour, **{name: getattr(hour, name) * factor for name, factor in factors.items()})

    return changed


def night_shift(cvr: float) -> Change:
    """The live plan spends on through the night, and its buyers order so many times as often as usual."""

    def changed(at: datetime, plan: str, product: str, hour: Hour) -> Hour:
        night = FIRST + timedelta(days=15, hours=22)
        if plan != "2" or not night <= at < night + timedelta(hours=10):
            return hour
        return replace(hour, impressions=200.0, cvr=hour.cvr * cvr)

    return changed


def found(change: Change, **drawn: object) -> tuple[Finding, ...]:
    return findings(Drawn(days=17, hours=2, change=change, **drawn).history(), RULES)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_in_a_shop_that_is_well(seed: int) -> None:
    assert found(unchanged, seed=seed) == ()


CASES = {
    "a wave of refunds": (from_then("11", refunds=3.0), Anomaly.REFUND_WAVE, (About.PRODUCT, "11")),
    "a wave of refunds of everything": (from_then("", refunds=2.2), Anomaly.REFUND_WAVE, (About.SHOP, "1")),
    "a tired creative": (from_then("12", ctr=0.5), Anomaly.TIRED_CREATIVE, (About.CREATIVE, "1201")),
    "a price too high": (from_then("13", order=2.0, cvr=0.6), Anomaly.WRONG_PRICE, (About.PRODUCT, "13")),
    "a price too low": (from_then("13", order=0.3, cvr=1.8), Anomaly.WRONG_PRICE, (About.PRODUCT, "13")),
    "no stock": (from_then("11", cvr=0.0, unpromoted=0.0), Anomaly.STOCK_OUT, (About.PRODUCT, "11")),
    "half of the sizes out of stock": (
        from_then("11", cvr=0.4, unpromoted=0.4),
        Anomaly.STOCK_OUT,
        (About.PRODUCT, "11"),
    ),
    "orders that are not told": (from_then("", cvr=0.0, unpromoted=0.0), Anomaly.TRACKING_BROKEN, (About.SHOP, "1")),
    "orders told as nobody's": (from_then("", cvr=0.05, unpromoted=4.0), Anomaly.TRACKING_BROKEN, (About.SHOP, "1")),
    "a rival": (from_then("", price=1.6), Anomaly.RIVAL_ENTERED, (About.SHOP, "1")),
    "a session whose end was not told": (night_shift(0.05), Anomaly.OFF_AIR_SPEND, (About.PLAN, "2")),
}


@pytest.mark.parametrize(("change", "anomaly", "subject"), CASES.values(), ids=list(CASES))
def test_what_is_wrong_is_called_by_its_name_and_told_once(
    change: Change, anomaly: Anomaly, subject: tuple[About, str]
) -> None:
    told = found(change)
    assert [(one.anomaly, one.subject.about, one.subject.id) for one in told] == [(anomaly, *subject)]
    assert 0.5 < told[0].likelihood <= 1
    assert told[0].evidence
    assert all(known(f"evidence.{proof.name}") for proof in told[0].evidence)


@pytest.mark.parametrize(("change", "anomaly", "subject"), list(CASES.values())[4:5], ids=["no stock"])
def test_a_finding_says_since_when_and_when_it_was_first_seen(
    change: Change, anomaly: Anomaly, subject: tuple[About, str]
) -> None:
    (told,) = found(change)
    assert abs(told.since - BEGINS) <= timedelta(hours=3)
    assert told.since < told.seen_at <= BEGINS + timedelta(hours=24)


def test_two_things_wrong_with_different_figures_are_both_told() -> None:
    refunds, stock = from_then("11", refunds=3.5), from_then("13", cvr=0.0)
    told = found(lambda at, plan, product, hour: refunds(at, plan, product, stock(at, plan, product, hour)))
    assert {(one.anomaly, one.subject.id) for one in told} == {(Anomaly.REFUND_WAVE, "11"), (Anomaly.STOCK_OUT, "13")}
    assert [one.severity for one in told] == [Severity.URGENT, Severity.ACT], "the gravest first"


def test_prices_after_a_change_of_ones_own_are_nobody_elses() -> None:
    lowered = Setting(BEGINS, Goal.NET, target=Decimal("2.5"), budget_daily=100 * YUAN)
    dearer = from_then("", plan="1", price=1.6)
    assert [one.anomaly for one in found(dearer, plans=("1",))] == [Anomaly.RIVAL_ENTERED]
    assert found(dearer, plans=("1",), settings=(lowered,)) == ()


def test_a_session_at_an_odd_hour_that_sells_is_no_fault() -> None:
    assert found(night_shift(1.0)) == ()


def test_less_traffic_and_less_spend_are_no_findings() -> None:
    assert found(from_then("", impressions=0.3)) == ()


def test_more_orders_than_usual_are_no_finding() -> None:
    assert found(from_then("", cvr=1.6, unpromoted=1.6)) == ()


def test_orders_too_young_to_be_refunded_say_nothing_of_refunds() -> None:
    history = Drawn(days=17, hours=2).history()
    young = history.now - timedelta(hours=2)
    hours = {
        subject: {at: replace(one, refunded_1h=one.gmv if at >= young else one.refunded_1h) for at, one in told.items()}
        for subject, told in history.hours.items()
    }
    assert findings(replace(history, hours=hours), RULES) == ()


def test_a_history_too_short_to_know_what_is_usual_tells_nothing() -> None:
    sick = Drawn(days=6, change=lambda at, plan, product, hour: replace(hour, cvr=0.0 if at.day > 5 else 0.1))
    assert findings(sick.history(), RULES) == ()


def test_what_is_over_is_no_longer_told_once_the_facts_say_so() -> None:
    def a_day_without_stock(at: datetime, plan: str, product: str, hour: Hour) -> Hour:
        return (
            replace(hour, cvr=0.0, unpromoted=0.0)
            if product == "11" and BEGINS <= at < BEGINS + timedelta(hours=24)
            else hour
        )

    assert [one.anomaly for one in findings(Drawn(17, 2, a_day_without_stock).history(), RULES)] == [Anomaly.STOCK_OUT]
    assert findings(Drawn(21, 2, a_day_without_stock).history(), RULES) == ()


def test_what_was_wrong_for_days_has_not_become_usual() -> None:
    told = findings(Drawn(20, 2, from_then("11", refunds=3.5)).history(), RULES)
    assert [one.anomaly for one in told] == [Anomaly.REFUND_WAVE]
    assert told[0].seen_at < BEGINS + timedelta(days=2)


def test_what_is_weak_and_goes_on_is_told_within_the_week() -> None:
    weak = from_then("11", refunds=1.8)
    told = [
        [(one.anomaly, one.subject.id) for one in findings(Drawn(days, 0, weak).history(), RULES)] for days in (17, 22)
    ]
    assert told == [[], [(Anomaly.REFUND_WAVE, "11")]]


def test_a_larger_shop_learns_of_the_same_sooner() -> None:
    half = from_then("11", cvr=0.6, unpromoted=0.6)

    def crowded(at: datetime, plan: str, product: str, hour: Hour) -> Hour:
        return half(at, plan, product, replace(hour, impressions=hour.impressions * 4))

    first = [findings(Drawn(20, 2, of).history(), RULES)[0] for of in (crowded, half)]
    assert {one.anomaly for one in first} == {Anomaly.STOCK_OUT}
    assert first[0].seen_at < first[1].seen_at


def test_daily_figures_tell_the_same_a_little_later() -> None:
    told = findings(replace(Drawn(17, 0, from_then("11", cvr=0.0, unpromoted=0.0)).history(), hours={}), RULES)
    assert [(one.anomaly, one.subject.id) for one in told] == [(Anomaly.STOCK_OUT, "11")]
    assert told[0].since.hour == 0


def test_what_reports_do_not_tell_is_not_looked_for() -> None:
    history = Drawn(17, 0, from_then("11", cvr=0.0, unpromoted=0.0)).history()
    bare = {
        subject: {day: Figures(spend=one.spend, gmv=one.gmv, orders=one.orders) for day, one in told.items()}
        for subject, told in history.days.items()
    }
    assert findings(replace(history, days=bare, hours={}, plans={}), RULES) == ()


def test_a_plan_with_few_orders_after_its_days_of_learning_has_not_learnt() -> None:
    began = (FIRST + timedelta(days=12)).date()
    setting = Setting(FIRST, Goal.NET, budget_daily=100 * YUAN)
    subject = Subject(About.PLAN, "9")
    young = PlanHistory(subject, PlanKind.PRODUCT, settings=(setting,), began=began)

    def told(orders: int, spend: int) -> tuple[Finding, ...]:
        history = Drawn(17, extra={"9": young}).history()
        days = {began + timedelta(days=n): Figures(spend=spend * YUAN, orders=orders) for n in range(5)}
        return findings(replace(history, days={**history.days, subject: days}), RULES)

    assert [(one.anomaly, one.subject) for one in told(2, 80)] == [(Anomaly.LEARNING_FAILED, subject)]
    assert told(5, 80) == (), "it has learnt"
    assert told(2, 5) == (), "it was never given the chance"


def test_spend_known_to_be_off_air_is_told_whatever_its_orders() -> None:
    history = Drawn(17).history()
    yesterday = history.today - timedelta(days=1)
    days = {**history.days[LIVE], yesterday: replace(history.days[LIVE][yesterday], off_air_spend=90 * YUAN)}
    told = findings(replace(history, days={**history.days, LIVE: days}), RULES)
    assert [(one.anomaly, one.subject) for one in told] == [(Anomaly.OFF_AIR_SPEND, LIVE)]
    assert told[0].evidence[0].value == 90 * YUAN
    grace = {**days, yesterday: replace(days[yesterday], off_air_spend=6 * YUAN)}
    assert findings(replace(history, days={**history.days, LIVE: grace}), RULES) == (), "the end of a session"


def test_an_empty_history_has_no_findings() -> None:
    history = Drawn(2).history()
    assert findings(replace(history, hours={}, days={}, plans={}), RULES) == ()
    assert {SHOP, PLAN} <= history.hours.keys()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('anomaly = "stock_out"', "fire"),
        ("{ order_value = 0.25, cvr = 2.0 }", "luck"),
        ("{ refund_rate_1h = 1.8 }", "refund_rate_1h"),
        ("base_days = 14", "many"),
    ],
)
def test_rules_that_say_what_cannot_be_are_refused_with_their_place(wrong: str, said: str, tmp_path: Path) -> None:
    instead = {
        "fire": 'anomaly = "fire"',
        "luck": "{ luck = 0.35 }",
        "refund_rate_1h": "{ refund_rate_1h = -1.8 }",
        "many": 'base_days = "many"',
    }
    text = SHIPPED.read_text(encoding="utf-8")
    assert wrong in text
    path = tmp_path / "findings.toml"
    path.write_text(text.replace(wrong, instead[said], 1), encoding="utf-8")
    with pytest.raises(BadInput, match=str(path)) as refused:
        finding_rules(path)
    assert said in str(refused.value)


def test_a_history_is_watched_alike_whatever_its_later_hours_say() -> None:
    """What was said at an hour does not depend on what came after it."""
    from qianheng.diagnosis.watching import watched

    whole = Drawn(17, 2, from_then("11", cvr=0.0, unpromoted=0.0)).history()
    cut: History = replace(whole, now=whole.now - timedelta(hours=20))
    early = {look.at: {one.suspicion.subject for one in look.seen} for look in watched(cut, RULES)}
    late = {look.at: {one.suspicion.subject for one in look.seen} for look in watched(whole, RULES)}
    assert early.keys() < late.keys()
    assert all(late[at] == seen for at, seen in early.items() if at < cut.now - timedelta(hours=1))
