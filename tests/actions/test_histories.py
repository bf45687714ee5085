"""The history of a run: parts add up to plans and plans to the shop, and nothing is known before it was."""

from datetime import timedelta
from pathlib import Path

import pytest

from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.figures import Question, figures
from qianheng.actions.histories import Asked, history_of, served_until
from qianheng.core.errors import BadInput, NotFound
from qianheng.measures.breakdown import By
from qianheng.measures.history import About, History
from qianheng.measures.reports import FIGURES, Figures, add
from qianheng.store.database import reading

SUMS = [name for name in FIGURES if name not in ("refunded_7d", "settled_gmv_7d", "contribution")]


@pytest.fixture
def known(kept: Path) -> History:
    with desk_of() as desk:
        return history_of(served_until(desk), Asked(days=14, hours=14))


def whole(history: History, about: About, within: str = "") -> Figures:
    return add(told for one in history.of(about, within) for told in history.days[one].values())


def test_parts_add_up_to_their_plan_and_plans_to_the_shop(known: History) -> None:
    shop = whole(known, About.SHOP)
    assert shop.spend
    assert shop.impressions
    assert whole(known, About.PLAN) == shop
    for about in (About.PRODUCT, About.PLACEMENT):
        assert whole(known, about) == shop
        assert add(whole(known, about, plan) for plan in known.plans) == shop


def test_hours_add_up_to_their_days(known: History) -> None:
    for subject, by_hour in known.hours.items():
        by_day = add(known.days[subject].values())
        hours = add(by_hour.values())
        assert [getattr(hours, name) for name in SUMS] == [getattr(by_day, name) for name in SUMS]


def test_the_history_tells_what_the_figures_of_the_desk_tell(kept: Path) -> None:
    with desk_of() as desk:
        plan_id = int(next(iter(history_of(desk).plans)))
        total = figures(desk, Question(By.DAY, plan_id)).total
        told = add(history_of(desk, Asked(days=60)).days[history_of(desk).plan_subject(str(plan_id))].values())
    assert total is not None
    assert (told.spend, told.impressions, told.clicks) == (total.sums.spend, total.sums.impressions, total.sums.clicks)
    assert told.promoted_gmv == total.sums.promoted_gmv


def test_nothing_is_known_before_it_was_received(kept: Path) -> None:
    with desk_of() as desk:
        end = served_until(desk)
        earlier = history_of(Desk(end.database, end.lake, end.actor, end.now - timedelta(hours=12)))
        later = history_of(end)
    day = earlier.today
    shop = earlier.whole_shop
    assert 0 < (earlier.days[shop][day].spend or 0) < (later.days[shop][day].spend or 0)


def test_every_day_since_a_thing_began_is_told_though_nothing_happened(known: History) -> None:
    for by_day in known.days.values():
        days = sorted(by_day)
        assert days == [days[0] + timedelta(days=i) for i in range(len(days))]
        assert days[-1] == known.today


def test_the_contribution_is_known_once_refunds_are_and_agrees_with_what_products_earned(kept: Path) -> None:
    with desk_of() as desk:
        history = history_of(desk, Asked(days=60))
    shop = history.days[history.whole_shop]
    closed = [told for told in shop.values() if told.contribution is not None]
    assert closed
    assert all(told.settled_gmv_7d is not None for told in closed)
    by_product = [add(history.days[one].values()).contribution for one in history.of(About.PRODUCT)]
    assert add(closed).contribution == sum(one or 0 for one in by_product)
    assert history.shop.margin is not None
    assert 0 < history.shop.margin < 1


def test_what_was_spent_while_a_room_was_off_air_is_told_apart(kept: Path) -> None:
    with desk_of() as desk, reading(desk.database) as connection:
        lives = desk.lake.query(connection, "SELECT * FROM lives AS f ORDER BY f.at").to_pylist()
        shown = "SELECT f.id FROM impressions AS f WHERE f.room_id >= 0"
        charged = f"SELECT f.at, f.amount FROM charges AS f WHERE f.impression_id IN ({shown})"
        charges = desk.lake.query(connection, charged).to_pylist()
        history = history_of(desk, Asked(days=60))
    last = [[one["on_air"] for one in lives if one["at"] <= charge["at"]][-1:] for charge in charges]
    off_air = sum(charge["amount"] for charge, on in zip(charges, last, strict=True) if on != [True])
    assert 0 < off_air < sum(charge["amount"] for charge in charges)
    assert whole(history, About.ROOM).off_air_spend == whole(history, About.SHOP).off_air_spend == off_air


def test_the_balance_is_what_the_ledger_held_at_that_time(kept: Path) -> None:
    with desk_of() as desk:
        first = history_of(desk, Asked(days=60))
        began = min(first.days[first.whole_shop])
        earlier = Desk(desk.database, desk.lake, desk.actor, desk.now.replace(month=began.month, day=began.day))
        assert (history_of(earlier).shop.balance or 0) > (first.shop.balance or 0)


def test_another_shop_is_not_there(kept: Path) -> None:
    with desk_of() as desk, pytest.raises(NotFound, match="no shop 99"):
        history_of(desk, Asked("99"))


def test_no_days_are_no_past() -> None:
    with pytest.raises(BadInput, match="at least one"):
        Asked(days=0)
