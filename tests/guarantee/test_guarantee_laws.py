"""Laws that hold for every case, whatever its facts; and a second, plain reading of the contract that agrees."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import groupby, pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.days import DAY, HOUR, MINUTE
from qianheng.core.money import FEN, YUAN
from qianheng.guarantee.case import Case, Charge, Event, Log, Order, PlanEvent, Refund, Target, Unit
from qianheng.guarantee.figures import Figures, Period, figures
from qianheng.guarantee.reasons import NOT_COVERED, PRECEDENCE, VOIDS, Reason, Status
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.timeline import Record, Said, moves
from qianheng.guarantee.verdict import evaluate, judge
from qianheng.plans.plan import Goal

UNIT = Unit("p", date(2025, 10, 1))
START, END = UNIT.window
POLICIES = ["seed", "qianchuan-product", "qianchuan-live", "tiktok-gmv-max", "shopee-gmv-max", "none"]

edges = st.sampled_from([START, END, START - 1, END - 1, START + HOUR, START + 2 * HOUR, START - HOUR])
within_the_day = st.integers(START, END - 1)
times = st.one_of(within_the_day, within_the_day, within_the_day, edges)
amounts = st.one_of(st.integers(0, 500 * YUAN), st.integers(0, 500 * YUAN), st.sampled_from([0, 1, FEN]))
spends = st.one_of(amounts, st.integers(1000 * YUAN, 9000 * YUAN))
boosts = st.sampled_from([*[None] * 9, "plan", "creative"])
targets = st.builds(
    Target,
    times,
    st.sampled_from([Goal.PAYMENT, Goal.NET]),
    st.sampled_from([Fraction(1), Fraction(5, 2), Fraction(7)]),
)
first_target = st.builds(Target, st.just(START - DAY), st.sampled_from([Goal.PAYMENT, Goal.NET]), st.just(Fraction(3)))


@st.composite
def orders(draw: st.DrawFn, number: int) -> Order:
    at, amount = draw(times), draw(amounts)
    after = st.sampled_from([1, MINUTE, MINUTE + 1, HOUR, HOUR + 1, DAY])
    parts = draw(
        st.lists(st.tuples(after, st.sampled_from([amount, amount // 2, 1])), max_size=draw(st.integers(0, 2)))
    )
    refunds = tuple(Refund(f"r{number}.{i}", at + delay, part) for i, (delay, part) in enumerate(parts))
    return Order(f"o{number}", at, amount, draw(boosts), draw(st.integers(0, 9)) == 9, refunds)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    many = draw(st.sampled_from([0, 3, 16, 30]))
    log = Log(
        (
            draw(first_target),
            *draw(st.lists(targets, max_size=draw(st.integers(0, 3)), unique_by=lambda target: target.at)),
        ),
        tuple(
            draw(
                st.lists(
                    st.builds(
                        PlanEvent, times, st.sampled_from([Event.PAUSE, Event.RESUME, Event.DELETE, Event.FRAUD])
                    ),
                    max_size=1,
                )
            )
        ),
    )
    charges = tuple(Charge(f"c{i}", draw(times), draw(spends), draw(boosts)) for i in range(draw(st.integers(0, 4))))
    now = draw(st.sampled_from([START + 12 * HOUR, END, END + DAY, END + 7 * DAY, END + 30 * DAY, END + 30 * DAY]))
    return Case(draw(st.sampled_from(POLICIES)), UNIT, log, charges, tuple(draw(orders(i)) for i in range(many)), now)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(case: Case, random: object) -> None:
    def shuffled(facts: tuple) -> tuple:  # type: ignore[type-arg]
        return tuple(random.sample(facts, len(facts)))  # type: ignore[attr-defined]

    log = Log(shuffled(case.log.targets), shuffled(case.log.events))
    mixed = replace(case, log=log, charges=shuffled(case.charges), orders=shuffled(case.orders))
    assert evaluate(shipped().in_force(case.policy, case.unit.day), mixed) == evaluate(
        shipped().in_force(case.policy, case.unit.day), case
    )


@given(cases())
def test_the_moves_of_a_unit_end_where_its_verdict_stands(case: Case) -> None:
    policy = shipped().in_force(case.policy, case.unit.day)
    verdict = evaluate(policy, case)
    judged_at = verdict.judged_at
    said = Said(judged_at or END, verdict.status, verdict.reason, verdict.compensation)
    record = Record((said,)) if judged_at is not None and case.now >= judged_at else Record()
    found = moves(policy, case.unit, case.log, record, case.now)
    assert (found[-1].status, found[-1].reason) == (verdict.status, verdict.reason)
    assert [move.at for move in found] == sorted(move.at for move in found)


@given(cases(), st.data())
def test_a_fact_told_again_changes_nothing(case: Case, data: st.DataObject) -> None:
    again = replace(
        case,
        log=Log(case.log.targets * 2, case.log.events),
        charges=case.charges + tuple(charge._replace(amount=data.draw(amounts)) for charge in case.charges),
        orders=case.orders + tuple(order._replace(at=data.draw(times)) for order in case.orders),
    )
    assert evaluate(shipped().in_force(case.policy, case.unit.day), again) == evaluate(
        shipped().in_force(case.policy, case.unit.day), case
    )


@given(cases(), st.integers(1, DAY), amounts)
def test_facts_later_than_now_change_nothing(case: Case, later: int, amount: int) -> None:
    at = case.now + later
    more = replace(
        case,
        log=Log(
            (Target(at, Goal.SETTLED, Fraction(9)), *case.log.targets), (PlanEvent(at, Event.PAUSE), *case.log.events)
        ),
        charges=(Charge("later", at, amount), *case.charges),
        orders=(
            Order("later", at, amount),
            *(
                order._replace(refunds=(*order.refunds, Refund(f"later {order.id}", at, amount)))
                for order in case.orders
            ),
        ),
    )
    assert evaluate(shipped().in_force(case.policy, case.unit.day), more) == evaluate(
        shipped().in_force(case.policy, case.unit.day), case
    )


@given(cases(), st.integers(2, 9))
def test_money_scales(case: Case, factor: int) -> None:
    scaled = replace(
        case,
        charges=tuple(charge._replace(amount=charge.amount * factor) for charge in case.charges),
        orders=tuple(
            order._replace(
                amount=order.amount * factor,
                refunds=tuple(refund._replace(amount=refund.amount * factor) for refund in order.refunds),
            )
            for order in case.orders
        ),
    )
    policy = shipped().in_force(case.policy, case.unit.day)
    before, after = evaluate(policy, case).sums, evaluate(policy, scaled).sums
    assert after.shortfall == factor * before.shortfall
    assert (after.orders, after.weighted_target, after.actual_roi) == (
        before.orders,
        before.weighted_target,
        before.actual_roi,
    )


@given(cases())
def test_compensation_is_the_shortfall_if_every_check_holds_and_nothing_otherwise(case: Case) -> None:
    policy = shipped().in_force(case.policy, case.unit.day)
    verdict = evaluate(policy, case)
    all_hold = policy.rules is not None and all(check.passed for check in verdict.checks)
    assert (verdict.compensation > 0) == all_hold
    assert verdict.compensation % FEN == 0
    if all_hold:
        assert abs(verdict.compensation - verdict.sums.shortfall) <= FEN // 2


@given(cases())
def test_status_reason_and_final_agree(case: Case) -> None:
    verdict = evaluate(shipped().in_force(case.policy, case.unit.day), case)
    assert (verdict.status is Status.VOID) == (verdict.reason in VOIDS) == (verdict.forgone is not None)
    assert verdict.final or verdict.reason is None
    assert (verdict.status is Status.ENDED) <= (verdict.reason is not None)
    assert verdict.final == (
        verdict.judged_at is None or verdict.status is Status.VOID or case.now >= verdict.judged_at
    )


@given(cases())
def test_checks_stand_in_the_precedence_of_their_reasons(case: Case) -> None:
    checks = evaluate(shipped().in_force("tiktok-gmv-max", UNIT.day), case).checks
    places = [PRECEDENCE[check.reason] for check in checks]
    assert places == sorted(places)


@given(cases(), st.integers(0, 30))
def test_figures_from_partial_sums_give_the_same_verdict(case: Case, cut: int) -> None:
    parts = [replace(case, orders=part, charges=charges) for part, charges in (
        (case.orders[:cut], case.charges[:1]), (case.orders[cut:], case.charges[1:])
    )]  # fmt: skip
    first, second = map(figures, parts)
    joined = Figures(
        first.spend + second.spend,
        tuple(
            Period(a.goal, a.target, a.orders + b.orders, a.gmv + b.gmv)
            for a, b in zip(first.periods, second.periods, strict=True)
        ),
    )
    policy = shipped().in_force(case.policy, case.unit.day)
    assert judge(policy, case.unit, case.log, joined, case.now) == evaluate(policy, case)


def test_every_reason_is_void_or_not_covered_or_ends() -> None:
    classes = [reason in VOIDS or (None if reason in NOT_COVERED else False) for reason in Reason]
    assert [told for told, _ in groupby(classes)] == [None, True, False]


# The contract read a second time, as plainly as it can be written.
class Profile(NamedTuple):
    orders: int
    ratio: Fraction
    pays: Fraction
    judged_days: int


PROFILES = {
    "seed": Profile(10, Fraction(8, 10), Fraction(1), 7),
    "qianchuan-product": Profile(10, Fraction(8, 10), Fraction(1), 7),
    "qianchuan-live": Profile(10, Fraction(8, 10), Fraction(1), 1),
    "tiktok-gmv-max": Profile(21, Fraction(9, 10), Fraction(9, 10), 0),
}


def void_reason(policy: str, case: Case, targets: list[Target]) -> str | None:
    pairs = list(pairwise(targets))
    all_changes = [b.at for a, b in pairs if (a.goal, a.value) != (b.goal, b.value)]
    values = [b.at for a, b in pairs if a.value != b.value]
    goals = [b.at for a, b in pairs if a.goal != b.goal]
    today = [at for at in all_changes if START <= at < END]

    def close(times: list[int], minutes: int) -> bool:
        return any(START <= b < END and b - a < minutes * MINUTE for a, b in pairwise(times))

    if policy == "tiktok-gmv-max":
        events = {event.type.value for event in case.log.events if START <= event.at < END and event.at <= case.now}
        found = ["changed_that_day" if today else "", "paused_that_day" if "pause" in events else ""]
        return next((name for name in [*found, "deleted" if "delete" in events else ""] if name), None)
    if policy == "qianchuan-live":
        return "changes_too_close" if close(values, 15) or close(goals, 60) else None
    if close(all_changes, 60):
        return "changes_too_close"
    return "too_many_changes" if policy == "seed" and len(today) > 2 else None


def in_force(at: int, targets: list[Target]) -> Target:
    return [target for target in targets if target.at <= at][-1]


def sums(case: Case, targets: list[Target]) -> tuple[int, int, int, Fraction]:
    count, gmv, promised = 0, 0, Fraction(0)
    spend = sum(c.amount for c in case.charges if START <= c.at < END and c.at <= case.now and not c.boost)
    for order in case.orders:
        if not (START <= order.at < END and order.at <= case.now) or order.boost or order.flagged:
            continue
        delays = [(refund.at - order.at, refund.amount) for refund in order.refunds if refund.at <= case.now]
        target = in_force(order.at, targets)
        left = order.amount - sum(a for delay, a in delays if delay <= HOUR and target.goal == "net")
        if left <= 0 or sum(a for delay, a in delays if delay <= MINUTE) >= order.amount:
            continue
        assert target.value is not None
        count, gmv, promised = count + 1, gmv + left, promised + left / target.value
    return spend, count, gmv, promised


def second_reading(policy: str, case: Case) -> dict[str, object]:
    """The answer for a plan that had its first target days ago, all goals covered and no id told twice."""
    profile = PROFILES[policy]
    targets = sorted((target for target in case.log.targets if target.at <= case.now), key=lambda target: target.at)
    spend, count, gmv, promised = sums(case, targets)
    owed = spend - promised / profile.pays
    void = void_reason(policy, case, targets)
    why_not = (
        ("nothing_spent" if spend == 0 else None)
        or ("too_few_orders" if count < profile.orders else None)
        or ("roi_met" if Fraction(gmv, spend) >= profile.ratio * gmv / promised else None)
        or ("below_minimum" if owed < 10_000 else None)
    )
    due = 0 if why_not else round(owed / 10_000) * 10_000
    judged = case.now >= END + profile.judged_days * DAY
    status = "in_effect" if case.now < END else "ended" if judged and why_not else "confirming"
    return {
        "status": "void" if void else status,
        "reason": void or (why_not if judged else None),
        "figures": (spend, count, gmv),
        "compensation": 0 if void else due,
        "forgone": due if void else None,
    }


@given(cases(), st.sampled_from(sorted(PROFILES)))
def test_a_second_reading_of_the_contract_agrees(case: Case, policy: str) -> None:
    verdict = evaluate(shipped().in_force(policy, UNIT.day), case)
    assert second_reading(policy, case) == {
        "status": verdict.status,
        "reason": verdict.reason,
        "figures": (verdict.sums.spend, verdict.sums.orders, verdict.sums.gmv),
        "compensation": verdict.compensation,
        "forgone": verdict.forgone,
    }
