"""Effects add up to the change exactly, whatever the figures; each cause is found under its own name."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qianheng.core.errors import Refused
from qianheng.diagnosis.decomposition import Decomposition, Factor, Measure, Period, decompose, in_step, shapley
from qianheng.measures.reports import Figures

YUAN = 1_000_000
DAY = date(2025, 10, 1)


def figures(spend: int = 100, cpm: str = "20", **rates: str) -> Figures:
    """A day by its rates: `spend` yuan at a cpm, ctr, cvr, order value, organic and kept shares, margin."""
    told = {"ctr": "0.05", "cvr": "0.04", "value": "50", "organic": "1.25", "kept": "0.9", "margin": "0.4"} | rates
    rate = {name: Fraction(text) for name, text in told.items()}
    impressions = Fraction(spend * 1000) / Fraction(cpm)
    clicks = impressions * rate["ctr"]
    orders = clicks * rate["cvr"]
    promoted = orders * rate["value"] * YUAN
    gmv = promoted * rate["organic"]
    net = gmv * rate["kept"]
    numbers = (impressions, clicks, orders, promoted, gmv, net, net * rate["margin"])
    assert all(number.denominator == 1 for number in numbers), "choose rates that make whole numbers"
    names = ("impressions", "clicks", "promoted_orders", "promoted_gmv", "gmv", "net_gmv", "contribution")
    return Figures(spend=spend * YUAN, orders=int(orders * 2), **dict(zip(names, map(int, numbers), strict=True)))


def period(*days: Figures, parts: int = 1) -> Period[int]:
    return {DAY + timedelta(n): dict.fromkeys(range(parts), told) for n, told in enumerate(days)}


def amounts(found: Decomposition[int]) -> dict[Factor, Fraction]:
    return {effect.factor: effect.amount for effect in found.effects}


@pytest.mark.parametrize(
    ("factor", "changed"),
    [
        (Factor.PRICE, {"cpm": "25"}),
        (Factor.CLICK_RATE, {"ctr": "0.04"}),
        (Factor.CONVERSION, {"cvr": "0.03"}),
        (Factor.ORDER_VALUE, {"value": "40"}),
        (Factor.ORGANIC, {"organic": "1"}),
        (Factor.REFUNDS, {"kept": "0.7"}),
    ],
)
def test_what_alone_changed_makes_the_whole_change(factor: Factor, changed: dict[str, str]) -> None:
    found = decompose(Measure.NET_ROI, period(figures(1000)), period(figures(1000, **changed)))
    assert found.change < 0
    assert {name: amount for name, amount in amounts(found).items() if amount} == {factor: found.change}


def test_the_mix_of_a_part_is_held_against_the_usual_roi_of_both_periods() -> None:
    """One part brings 5.625 for a yuan, the other half of it; spend moves from even to one in four."""
    good, poor = Fraction(45, 8), Fraction(45, 16)
    before = {DAY: {1: figures(1000), 2: figures(1000, value="25")}}
    after = {DAY: {1: figures(500), 2: figures(1500, value="25")}}
    found = decompose(Measure.NET_ROI, before, after)
    usual = ((good + poor) / 2 + good / 4 + poor * 3 / 4) / 2
    assert found.parts[1][Factor.MIX] == (good - usual) * Fraction(-1, 4)
    assert found.parts[2][Factor.MIX] == (poor - usual) * Fraction(1, 4)
    assert amounts(found)[Factor.MIX] == found.change


def test_an_roi_is_the_same_of_more_of_the_same() -> None:
    found = decompose(Measure.NET_ROI, period(figures(1000)), period(figures(3000)))
    assert found.change == 0
    assert not found.strongest


def test_gmv_and_profit_grow_with_the_traffic_bought() -> None:
    for measure in (Measure.GMV, Measure.PROFIT):
        found = decompose(measure, period(figures(1000)), period(figures(3000)))
        assert {effect.factor for effect in found.strongest} == {Factor.TRAFFIC}
        assert found.strongest[0].amount == found.change == 2 * found.before


def test_spend_that_moves_to_a_worse_part_is_mix_and_nothing_else() -> None:
    good, bad = figures(1000), figures(1000, value="30")
    more, less = figures(1500, value="30"), figures(500)
    found = decompose(Measure.NET_ROI, {DAY: {"good": good, "bad": bad}}, {DAY: {"good": less, "bad": more}})
    assert [effect.factor for effect in found.strongest] == [Factor.MIX]
    assert found.change < 0


def test_a_part_that_begins_or_ends_is_mix() -> None:
    old = {DAY: {"a": figures(1000), "b": figures(1000, value="30")}}
    new = {DAY: {"a": figures(1000), "c": figures(1000, value="40")}}
    found = decompose(Measure.NET_ROI, old, new)
    assert [effect.factor for effect in found.strongest] == [Factor.MIX]
    assert sum(effect.amount for effect in found.effects) == found.change > 0


def test_what_sells_without_any_spend_is_organic() -> None:
    idle = Figures(0, orders=1, gmv=90, net_gmv=90, impressions=0, clicks=0, promoted_orders=0, promoted_gmv=0)
    found = decompose(Measure.NET_ROI, {DAY: {"a": figures(1000)}}, {DAY: {"a": figures(1000), "b": idle}})
    assert [effect.factor for effect in found.strongest] == [Factor.ORGANIC]


def test_orders_without_a_click_are_told_as_conversion_of_impressions() -> None:
    def seen(orders: int) -> Figures:
        money = {"gmv": orders * 100, "net_gmv": orders * 90, "promoted_gmv": orders * 100}
        return Figures(500, orders=orders, promoted_orders=orders, impressions=1000, clicks=0, **money)

    found = decompose(Measure.NET_ROI, period(seen(10)), period(seen(5)))
    assert {name: amount for name, amount in amounts(found).items() if amount} == {Factor.CONVERSION: found.change}


def test_what_a_report_does_not_tell_is_merged_into_the_next_factor_and_said() -> None:
    def told(spend: int, orders: int) -> Figures:
        return Figures(spend, orders=orders, gmv=orders * 70, net_gmv=orders * 60)

    found = decompose(Measure.NET_ROI, period(told(1000, 40)), period(told(1000, 30)))
    merged = {effect.factor: effect.merged for effect in found.effects if effect.merged}
    assert merged == {Factor.CONVERSION: (Factor.PRICE, Factor.CLICK_RATE, Factor.ORGANIC)}
    assert amounts(found)[Factor.CONVERSION] == found.change
    assert Factor.PRICE not in amounts(found)


@pytest.mark.parametrize(
    ("measure", "after", "key"),
    [
        (Measure.NET_ROI, Figures(0, orders=0, gmv=0, net_gmv=0), "triage.nothing_spent"),
        (Measure.NET_ROI, Figures(10, orders=1, gmv=20), "triage.unknown_measure"),
        (Measure.PROFIT, Figures(10, orders=1, gmv=20, net_gmv=20), "triage.unknown_measure"),
        (Measure.GMV, Figures(orders=1, gmv=20), "triage.unknown_measure"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused(measure: Measure, after: Figures, key: str) -> None:
    before = Figures(10, orders=1, gmv=20, net_gmv=20)
    with pytest.raises(Refused) as told:
        decompose(measure, period(before), period(after))
    assert told.value.key == key
    assert "{" not in str(told.value)


def test_what_swings_from_day_to_day_is_told_from_what_changed() -> None:
    calm = [figures(1000, value=value) for value in ("49", "51", "50", "49", "51", "50", "50")]
    fewer_clicks = [figures(1000, value=value, ctr="0.04") for value in ("51", "49", "50", "50", "49", "51", "51")]
    found = decompose(Measure.NET_ROI, period(*calm), period(*fewer_clicks))
    beyond = {effect.factor: effect.beyond_swing for effect in found.effects}
    assert beyond[Factor.CLICK_RATE]
    assert not beyond[Factor.ORDER_VALUE]


def test_one_day_does_not_tell_how_days_swing() -> None:
    found = decompose(Measure.NET_ROI, period(figures(1000)), period(figures(1000, ctr="0.04")))
    assert all(effect.swing is None and effect.beyond_swing is None for effect in found.effects)


counts = st.integers(0, 3)
amount = st.integers(0, 10**9)


@st.composite
def anything(draw: st.DrawFn) -> Figures:
    """Figures as they may come: zeros anywhere, also orders without clicks, losses, sales without spend."""
    promoted = draw(st.integers(0, 40))
    gmv = draw(amount)
    net = draw(st.integers(0, gmv))
    return Figures(
        spend=draw(st.one_of(st.just(0), amount)),
        orders=promoted + draw(counts),
        gmv=gmv,
        net_gmv=net,
        impressions=draw(st.integers(0, 5000)),
        clicks=draw(st.integers(0, 90)),
        promoted_orders=promoted,
        promoted_gmv=draw(st.integers(0, gmv)),
        settled_gmv_7d=draw(st.integers(0, net)),
        contribution=draw(st.integers(-gmv, gmv)),
    )


days = st.lists(st.dictionaries(st.sampled_from("abcd"), anything(), min_size=1), min_size=1, max_size=3)
periods = days.map(lambda told: {DAY + timedelta(n): parts for n, parts in enumerate(told)}).filter(
    lambda told: any(figures.spend for parts in told.values() for figures in parts.values())
)
measures = st.sampled_from(list(Measure))


@settings(max_examples=100)
@given(measures, periods, periods)
def test_effects_add_up_exactly_and_parts_add_up_to_effects(
    measure: Measure, before: Period[str], after: Period[str]
) -> None:
    found = decompose(measure, before, after)
    assert sum(effect.amount for effect in found.effects) == found.after - found.before
    for effect in found.effects:
        assert sum(part.get(effect.factor, Fraction()) for part in found.parts.values()) == effect.amount


@settings(max_examples=40)
@given(measures, periods, periods)
def test_periods_that_change_places_change_the_signs(measure: Measure, before: Period[str], after: Period[str]) -> None:
    there, back = decompose(measure, before, after), decompose(measure, after, before)
    assert [effect.amount for effect in there.effects] == [-effect.amount for effect in back.effects]


@settings(max_examples=40)
@given(measures, periods, periods, st.permutations("abcd"))
def test_names_of_parts_change_nothing(
    measure: Measure, before: Period[str], after: Period[str], names: list[str]
) -> None:
    def renamed(told: Period[str]) -> Period[str]:
        return {day: {names["abcd".index(key)]: told[day][key] for key in parts} for day, parts in told.items()}

    found = decompose(measure, renamed(before), renamed(after))
    assert [effect.amount for effect in found.effects] == [
        effect.amount for effect in decompose(measure, before, after).effects
    ]


@settings(max_examples=30)
@given(measures, periods)
def test_no_change_has_no_effects(measure: Measure, told: Period[str]) -> None:
    assert not decompose(measure, told, told).strongest


@given(st.lists(st.tuples(st.fractions(0, 9), st.fractions(0, 9)), min_size=1, max_size=6))
def test_shapley_shares_a_product_among_its_factors(pairs: list[tuple[Fraction, Fraction]]) -> None:
    from itertools import permutations
    from math import factorial, prod

    old, new = [low for low, _ in pairs], [high for _, high in pairs]
    found = shapley(old, new)
    assert sum(found) == prod(new) - prod(old)
    if len(pairs) <= 4:  # as it is defined: the mean over all orders of change
        steps = [Fraction()] * len(pairs)
        for order in permutations(range(len(pairs))):
            now = list(old)
            for i in order:
                was, now[i] = prod(now), new[i]
                steps[i] += prod(now) - was
        assert found == [step / factorial(len(pairs)) for step in steps]


@given(st.lists(st.fractions(-5, 5), min_size=1, max_size=8))
def test_rounded_amounts_stay_in_step_with_their_rounded_sum(amounts_told: list[Fraction]) -> None:
    total = round(sum(amounts_told))
    whole = in_step(amounts_told, total)
    assert sum(whole) == total
    assert all(abs(one - exact) <= 1 for one, exact in zip(whole, amounts_told, strict=True))
