"""Losing well or badly: what decides, what does not, and that nothing is ever said of three clicks."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import BadInput
from qianheng.core.words import area, known
from qianheng.diagnosis.asking import Answer, Asked, ask
from qianheng.diagnosis.chance import days_against, events_against
from qianheng.diagnosis.ground import Ground
from qianheng.diagnosis.readings import READINGS, read
from qianheng.diagnosis.triage import Kind, Loss, Stance, rules, triage
from qianheng.diagnosis.worth import Basis
from qianheng.measures.history import About, History, PlanHistory, Subject
from qianheng.measures.reports import Figures
from qianheng.plans.plan import PlanKind
from tests.diagnosis.shops_for_tests import TODAY, YUAN, day, days, plan, shop, with_parts

RULES = rules()
GOOD = days(*[day(1000, 60)] * 28)


def loss_of(*told: Figures, margin: str | None = "0.5", **known_plan: PlanHistory) -> Loss:
    """What triage says of plan 1 with these last days, in a shop whose other plan earns."""
    history = shop({"1": days(*told), "2": GOOD}, margin, **known_plan)
    (found,) = (one for one in triage(history, RULES).losses if one.subject.id == "1")
    return found


def held(loss: Loss) -> set[str]:
    return {one.rule.name for one in loss.conditions if one.answer is Answer.YES}


POOR = day(1000, 30)  # contributes 810 of every 1000 it spends


@pytest.mark.parametrize(
    ("told", "kind", "stance", "reason"),
    [
        ([day(500, 8)] * 2, Kind.VALUABLE, Stance.WAIT, "exploring"),
        ([*[day(20, 1, value=40)] * 4, day(20, 0)], Kind.VALUABLE, Stance.WAIT, "few_orders_of_a_good_funnel"),
        ([POOR] * 5, Kind.WASTE, Stance.FIX, "weak_conversion"),
        ([day(1000, 45, value=40, clicks=1200)] * 5, Kind.WASTE, Stance.FIX, "weak_click_rate"),
        ([day(1000, 60, kept="0.6", value=40)] * 5, Kind.WASTE, Stance.FIX, "refunds_high"),
        ([day(1000, 0)] * 2, Kind.WASTE, Stance.FIX, "spend_without_orders"),
        ([day(1000, 20)] * 8, Kind.WASTE, Stance.STOP, "structural"),
        ([day(1000, 62, value=26)] * 5, Kind.UNDECIDED, Stance.WAIT, "refunds_normal"),
    ],
)
def test_losses_are_told_apart(told: list[Figures], kind: Kind, stance: Stance, reason: str) -> None:
    began = TODAY - timedelta(days=len(told))
    loss = loss_of(*told, plan_1=plan("1", began=began))
    assert (loss.kind, loss.stance) == (kind, stance)
    assert reason in {one.rule.name for one in loss.reasons}


def test_a_plan_that_earns_is_no_loss() -> None:
    assert not triage(shop({"1": GOOD}), RULES).losses


def test_three_clicks_are_no_verdict() -> None:
    few = day(1, 0, clicks=3, impressions=60, promoted_orders=0)
    loss = loss_of(*[few] * 4)
    assert loss.kind is Kind.UNDECIDED
    assert not held(loss) & {"weak_click_rate", "weak_conversion", "spend_without_orders"}


def test_what_is_not_sure_yet_says_after_how_many_days_it_will_be() -> None:
    loss = loss_of(*[day(8, 0)] * 4)
    waiting = {one.rule.name: one.days_to_know for one in loss.open_questions}
    assert waiting["weak_conversion"]
    assert 1 <= waiting["weak_conversion"] <= 14


def test_a_loss_is_counted_exactly_and_another_day_costs_as_much() -> None:
    loss = loss_of(*[POOR] * 7)
    assert loss.lost == 7 * (1000 - 810) * YUAN
    assert loss.tomorrow is not None
    assert loss.tomorrow.low == loss.tomorrow.expected == loss.tomorrow.high == 190 * YUAN
    assert loss.orders_tomorrow == 30
    assert (loss.against, loss.basis) == ("breakeven", Basis.NET)


def test_without_a_margin_the_target_is_what_it_is_held_against() -> None:
    loss = loss_of(*[day(1000, 30)] * 7, margin=None)
    assert loss.against == "target"
    assert loss.lost == 7 * (1000 * YUAN - round(1620 * YUAN / Fraction("1.92")))


def test_without_margin_and_target_nothing_is_guessed() -> None:
    bare = replace(plan("1"), settings=())
    found = triage(shop({"1": days(*[POOR] * 7)}, margin=None, plan_1=bare), RULES)
    assert not found.losses
    assert ([one.id for one in found.unheld], found.missing) == (["1"], ("margin", "target"))


def test_one_or_two_days_do_not_tell_what_the_next_costs() -> None:
    assert loss_of(POOR, POOR).tomorrow is None


def test_the_live_script_is_a_lever_of_live_plans_only() -> None:
    live = plan("1", kind=PlanKind.LIVE)
    assert "live_script" in loss_of(*[POOR] * 5, plan_1=live).levers
    assert "live_script" not in loss_of(*[POOR] * 5).levers


def test_spend_while_off_air_is_waste_beyond_the_grace_after_a_session() -> None:
    live = plan("1", kind=PlanKind.LIVE)
    for spent, found in ((10, False), (100, True)):
        told = day(1000, 45, value=40, off_air_spend=spent * YUAN)
        assert ("off_air_spend" in held(loss_of(*[told] * 5, plan_1=live))) is found


def test_tired_creatives_are_those_clicked_on_less_than_they_were() -> None:
    fresh, worn = day(500), day(500, clicks=500)
    creatives = {
        Subject(About.CREATIVE, "a", within="1"): days(*[fresh] * 14, *[worn] * 7),
        Subject(About.CREATIVE, "b", within="1"): days(*[fresh] * 21),
    }
    history = with_parts(shop({"1": days(*[day(1000, 45, value=40)] * 21), "2": GOOD}), creatives)
    ground = Ground(history, history.plans["1"].subject)
    assert read(ground, "tired_share").value == Fraction(1, 2)


def test_products_are_told_apart_too() -> None:
    poor = {Subject(About.PRODUCT, "9"): days(*[day(300, 5)] * 7)}
    found = triage(with_parts(shop({"1": GOOD}), poor), RULES)
    assert [(one.subject.id, one.kind) for one in found.losses] == [("9", Kind.WASTE)]


def test_a_shop_that_tells_neither_plans_nor_products_is_held_itself() -> None:
    poor = shop({"1": days(*[POOR] * 7)})
    bare = replace(poor, plans={}, days={poor.whole_shop: poor.days[poor.whole_shop]})
    assert [one.subject for one in triage(bare, RULES).losses] == [bare.whole_shop]


def test_every_reading_has_words_and_every_condition_too() -> None:
    assert [name for name in READINGS if not known(f"evidence.{name}")] == []
    assert {rule.name for rule in RULES.conditions} == area("triage")["condition"].keys()
    assert {lever for rule in RULES.conditions for lever in rule.levers} <= RULES.levers.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[conditions]]\nname="a"\nspeaks_for="luck"\nasked=[]', "conditions[0].speaks_for"),
        (
            '[[conditions]]\nname="a"\nspeaks_for="waste"\nasked=[{figure="moon", below="1"}]',
            "no figure moon",
        ),
        ('[[conditions]]\nname="a"\nspeaks_for="waste"\nasked=[{figure="ctr"}]', "just one of below"),
        ('weeks=2\n[[conditions]]\nname="a"\nspeaks_for="waste"\nasked=[]', "windows.weeks"),
        ('[levers]\ntarget=["pray"]\n[[conditions]]\nname="a"\nspeaks_for="waste"\nasked=[]', "pray is not known"),
    ],
)
def test_rules_that_cannot_be_are_told_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "triage.toml").write_text(f"[windows]\n{text}")
    with pytest.raises(BadInput) as told:
        rules(tmp_path / "triage.toml")
    assert said in str(told.value)
    assert "triage.toml" in str(told.value)


def figure(history: History, name: str) -> Fraction | None:
    return read(Ground(history, history.plans["1"].subject), name).value


def test_a_rate_is_taken_of_the_days_that_know_both_figures() -> None:
    told = days(day(1000, clicks=None), day(1000), day(1000))
    assert figure(shop({"1": told}), "ctr") == Fraction(4, 100)


def test_what_came_back_within_a_week_is_told_of_days_that_are_over_so_long() -> None:
    ripe = day(100, 10, refunded_7d=150 * YUAN)
    assert figure(shop({"1": days(ripe, ripe, *[day(100, 10)] * 7)}), "refund_rate_7d") == Fraction(1, 4)


def test_a_goal_that_never_changed_is_not_missing() -> None:
    history = shop({"1": GOOD})
    ground = Ground(history, history.plans["1"].subject)
    assert ask(ground, Asked("days_since_goal", below="9")).answer is Answer.NO
    reports = replace(history, source="reports")
    told = ask(replace(ground, history=reports), Asked("days_since_goal", below="9"))
    assert (told.answer, told.reading.missing) == (Answer.UNKNOWN, "change_log")


def test_days_live_count_from_the_beginning_not_from_what_is_looked_at() -> None:
    old = shop({"1": days(*[POOR] * 5)}, plan_1=plan("1", began=date(2025, 9, 1)))
    assert figure(old, "days_live") == 5 + (TODAY - timedelta(days=5) - date(2025, 9, 1)).days


@given(st.integers(0, 500), st.fractions(0, 500), st.integers(1, 30))
def test_more_of_the_same_makes_it_surer(seen: int, expected: Fraction, prior: int) -> None:
    once = events_against(seen, expected, Fraction(prior))
    more = events_against(100 * seen, 100 * expected, Fraction(prior))
    assert once.low <= once.expected <= once.high
    if seen and expected:
        assert (more.high - more.low) < (once.high - once.low) * max(1, more.expected / once.expected)


def test_nothing_seen_is_as_the_base_is() -> None:
    assert events_against(0, Fraction(0), Fraction(5)).expected == 1


def test_days_as_different_as_they_are_tell_how_sure_a_ratio_is() -> None:
    calm = [(100 + n % 2, 10) for n in range(14)]
    wild = [(40 if n % 2 else 162, 10) for n in range(14)]
    doubled = [(2 * above, below) for above, below in calm]
    steady, swinging = days_against(doubled, calm), days_against(doubled, wild)
    assert steady is not None
    assert swinging is not None
    assert steady.high - steady.low < swinging.high - swinging.low
    assert days_against(calm[:2], calm) is None
