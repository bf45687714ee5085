"""Predictions are never zero, come from facts received before now, and find the truth again."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from qianheng.core.days import DAY, HOUR
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Kind
from qianheng.prediction.predictor import Predictor
from tests.prediction.facts_of_people import PRICE, SPACE, Rates, people

START = 20_000 * DAY
TRUTH = Rates()
PAGES = np.arange(3)  # the items of product pages
AUDIENCE = np.arange(SPACE.cells) % 3


def received(facts: FactBatch, since: int, until: int) -> FactBatch:
    when = (pc.field("received_at") >= since) & (pc.field("received_at") < until)
    return FactBatch({kind: held.filter(when) for kind, held in facts.tables.items()})


def learnt(facts: FactBatch, now: int) -> Predictor:
    made = Predictor(SPACE)
    made.learn(received(facts, 0, now))
    made.refit(now)
    return made


def test_before_any_fact_everything_is_predicted_by_the_prior_and_nothing_is_zero() -> None:
    made = Predictor(SPACE)
    assert np.allclose(made.click_rate, 0.03)
    assert np.allclose(made.order_rate, 0.03)
    assert (made.gmv > 0).all()
    assert np.allclose(made.kept_1h, 0.85)
    assert np.allclose(made.kept_7d, 0.75)


def test_a_cold_product_is_predicted_as_its_category_is() -> None:
    facts = people(TRUTH, 20_000, START, 1)
    others = FactBatch(
        {
            kind: held.filter(pc.field("product_id") == 11)
            for kind, held in facts.tables.items()
            if "product_id" in held.column_names
        }
    )
    made = learnt(others, START + 2 * DAY)
    warm, cold, of_other_category = made.click_rate[PAGES]
    assert (made.click_rate > 0).all()
    ratio = cold[AUDIENCE == 2].mean() / cold[AUDIENCE == 0].mean()
    assert ratio == pytest.approx(warm[AUDIENCE == 2].mean() / warm[AUDIENCE == 0].mean(), rel=0.15)
    elsewhere = of_other_category[AUDIENCE == 2].mean() / of_other_category[AUDIENCE == 0].mean()
    assert elsewhere == pytest.approx(1, rel=0.05)


def test_known_rates_are_found_again() -> None:
    made = Predictor(SPACE)
    for day in range(9):
        facts = people(TRUTH, 12_000, START + day * DAY, 2)
        made.learn(facts)  # all of a day's consequences at once: what matters here is the level
    made.refit(START + 20 * DAY)
    for audience, click in enumerate(TRUTH.click):
        assert made.click_rate[PAGES][:, audience == AUDIENCE].mean() == pytest.approx(click, rel=0.05)
    assert made.order_rate[PAGES].mean() == pytest.approx(TRUTH.order, rel=0.08)
    assert made.order_mean[PAGES] == pytest.approx(PRICE)
    assert made.kept_1h[PAGES] == pytest.approx(1 - TRUTH.refunded, abs=0.04)


def test_young_clicks_do_not_pull_the_order_rate_down() -> None:
    made, now = Predictor(SPACE), START + 14 * DAY
    days = [people(TRUTH, 12_000, START + day * DAY, 3) for day in range(14)]
    for hour in range(0, 14 * 24, 6):
        since = START + hour * HOUR
        for facts in days:
            made.learn(received(facts, since, since + 6 * HOUR))
        made.refit(since + 6 * HOUR)
    naive = made.orders.sum() / made.clicks.sum()
    assert naive < 0.96 * TRUTH.order  # the youngest clicks have most of their orders to come
    weighed = (
        made.matured_clicks.sum()
        + made.delay.reported(now - made.recent_clicks["at"], SPACE.live(made.recent_clicks["item"])).sum()
    )
    assert made.orders.sum() / weighed == pytest.approx(TRUTH.order, rel=0.03)
    assert abs(made.orders.sum() / weighed - TRUTH.order) < abs(naive - TRUTH.order)


def test_facts_not_yet_received_change_nothing() -> None:
    facts, now = people(TRUTH, 3_000, START, 4), START + DAY
    with_the_rest = received(facts, 0, START + 9 * DAY).received_before(now)
    one, other = learnt(facts, now), learnt(with_the_rest, now)
    for name in ("gmv", "kept_1h", "kept_7d", "click_rate", "order_rate"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_going_on_from_a_snapshot_is_the_same_bit_for_bit() -> None:
    whole = Predictor(SPACE)
    facts = people(TRUTH, 4_000, START, 5)
    week = START + 7 * DAY + 12 * HOUR  # clicks of the first half day leave just now, their last orders come with it
    whole.learn(received(facts, 0, week - HOUR))
    whole.refit(week - HOUR)
    again = Predictor(SPACE)
    again.restore(whole.snapshot(), week)
    for now in (week, week + DAY):
        for one in (whole, again):
            late = _late_order(facts, now)
            one.learn(late)
            one.refit(now)
        state = whole.snapshot()
        assert all(np.array_equal(state[name], held) for name, held in again.snapshot().items())
        assert np.array_equal(whole.gmv, again.gmv)
        assert np.array_equal(whole.kept_7d, again.kept_7d)


def _late_order(facts: FactBatch, now: int) -> FactBatch:
    """Orders, reported in the last hour, of clicks just short of a week before them."""
    clicks, orders = facts[Kind.CLICK], facts[Kind.ORDER]
    due = clicks.filter((pc.field("at") >= now - 7 * DAY - HOUR) & (pc.field("at") < now - 7 * DAY))
    made = orders.slice(0, min(3, due.num_rows))
    count = made.num_rows
    for name, values in (
        ("id", due["id"].to_numpy()[:count] + 5),
        ("click_id", due["id"].to_numpy()[:count]),
        ("at", due["at"].to_numpy()[:count] + 7 * DAY - 1),
    ):
        place = made.schema.get_field_index(name)
        made = made.set_column(place, made.schema.field(name), pa.array(values))
    return FactBatch({Kind.ORDER: made})
