"""Boosts of creatives under the guarantee: judged by their own facts at T+2, paid once, and provable as a case."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions import claims
from qianheng.actions.boost_units import boost_case, judge_boosts
from qianheng.actions.desk import desk_of
from qianheng.actions.judging import Judged
from qianheng.actions.promises import boost_unit_id
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.yuan import Question, explained
from qianheng.core.actors import REVIEWER
from qianheng.core.days import midnight
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.money import YUAN, micros
from qianheng.core.proof import checked
from qianheng.facts.schema import Kind
from qianheng.guarantee.reading import parse_case
from qianheng.guarantee.reasons import Reason, Status
from qianheng.guarantee.shelf import shipped
from qianheng.guarantee.verdict import evaluate
from qianheng.guarantee.writing import written
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import change
from qianheng.store import boosts, closes, ledger, notices, plans
from qianheng.store.database import reading
from tests.actions.boosted_days import BOOST, BOOSTED, POLICY, boosted, sold
from tests.actions.claimed_days import DAY, FINANCE, PLAN, SPEND, STRANGER, Shop, asked, facts, opened
from tests.actions.conftest import Say

JUDGED = DAY + timedelta(days=2)  # Friday
PAID = DAY + timedelta(days=5)  # Monday
GOALS = """[{ day = 1, time = "18:00", field = "goal", value = "net" },
    { day = 2, time = "07:00", field = "target", value = "2.6" }]""".replace("\n", "")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    asked_for = RunRequest(
        "boosts",
        overrides={"plans.0.changes": GOALS},
        folder=tmp_path_factory.mktemp("runs"),
        until=date(2025, 9, 4),
    )
    return run_simulation(asked_for)


def of_run(run: RunFolder) -> list[Boost]:
    return run.scenario.boost_records()


def test_what_the_close_pays_is_the_compensation_of_the_proven_case_at_every_time(run: RunFolder) -> None:
    database, lake, first = run.database(), run.lake(), run.scenario.first_day
    with reading(database) as connection:
        assert boosts.of_plans(connection) == sorted(of_run(run), key=lambda one: one.id)
        compared = []
        for now in (midnight(first + timedelta(days=later)) for later in (1, 2, 3)):
            for one in judge_boosts(connection, lake, [boost.id for boost in of_run(run)], now):
                assert one.boost_id is not None
                case = parse_case("".join(written(boost_case(connection, lake, one.boost_id, now))), "pack.json")
                assert evaluate(shipped().in_force(case.policy, case.unit.day), case) == one.verdict
                compared.append(one)
        unit = boost_unit_id(of_run(run)[0].id)
        (given,) = closes.given(connection, [unit])[unit]
        moved = [(one.state, one.amount) for one in ledger.transfers_about(connection, unit)]
    database.dispose()
    assert len(compared) == 5  # the second had not begun at first
    assert {goal for one in compared for goal in one.verdict.checks[1].value.split(", ")} == {"payment", "net"}  # type: ignore[union-attr]
    assert given.compensation > 100 * YUAN
    assert given.compensation == next(one.verdict.compensation for one in compared[3:] if one.unit_id == unit)
    assert moved == [("pending", given.compensation), ("posted", given.compensation)]


def test_a_boosts_compensation_is_followed_down_to_its_facts(run: RunFolder) -> None:
    with desk_of(str(run.path)) as desk:
        with reading(desk.database) as connection:
            paid = ledger.transfers_about(connection, boost_unit_id(of_run(run)[0].id))[-1]
        with explained(desk, Question(paid.id)) as part:
            parts = list(checked(part))
    assert parts[0].amount == paid.amount
    assert sum(one.kind == "charge" for one in parts) > 100
    assert sum(one.kind == "order" for one in parts) >= 10


def test_status_check_and_prove_show_it(run: RunFolder, say: Say, tmp_path: Path) -> None:
    told = [one for one in json.loads(say("guarantee", "status", "--run", str(run.path), "--json")) if one["boost_id"]]
    assert (told[0]["boost_id"], told[0]["status"]) == (str(of_run(run)[0].id), "compensated")
    assert "推商品: boost" in say("guarantee", "status", "--run", str(run.path), "--plan", "1")
    key = told[0]["boost_id"]
    check = json.loads(say("guarantee", "check", "--run", str(run.path), "--boost", key, "--json"))
    assert check["ledger"] == {"promised": told[0]["compensation"], "paid": told[0]["paid"]}
    pack = tmp_path / "pack.json"
    say("guarantee", "prove", "--run", str(run.path), "--boost", key, "--out", str(pack))
    again = json.loads(say("guarantee", "evaluate", str(pack), "--json"))
    assert again["compensation"] == told[0]["compensation"] == check["verdict"]["compensation"]
    assert "--boost" in say("guarantee", "prove", "--run", str(run.path))
    assert "there is no boost 5" in say("guarantee", "check", "--run", str(run.path), "--boost", "5")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A day with 1000 of the plan's own spend and a boost that spent 3000 on ten orders of 900 each."""
    with opened(tmp_path) as found:
        boosted(found)
        yield found


def judged(shop: Shop, on: date) -> Judged:
    with shop.desk.database.begin() as connection:
        (found,) = judge_boosts(connection, shop.desk.lake, [BOOST.id], midnight(on))
    return found


def test_it_is_judged_two_days_after_and_paid_once_on_the_next_working_day(shop: Shop) -> None:
    seen = []
    for later in (1, 2, 3, 4, 5, 5, 6):
        shop.close_until(DAY + timedelta(days=later))
        one = judged(shop, DAY + timedelta(days=later))
        seen.append((later, one.status, one.promised, one.paid))
    assert seen == [
        (1, Status.IN_EFFECT, 0, 0),
        (2, Status.CONFIRMING, 1800 * YUAN, 0),
        (3, Status.CONFIRMING, 1800 * YUAN, 0),
        (4, Status.CONFIRMING, 1800 * YUAN, 0),
        (5, Status.COMPENSATED, 0, 1800 * YUAN),
        (5, Status.COMPENSATED, 0, 1800 * YUAN),
        (6, Status.COMPENSATED, 0, 1800 * YUAN),
    ]
    with reading(shop.desk.database) as connection:
        kinds = [one.kind for one in notices.notices(connection, 1) if "boost" in one.kind]
    assert kinds == ["close.boost_notice.confirmed", "close.boost_notice.paid"]


def test_only_orders_of_what_the_boost_paid_for_count(shop: Shop) -> None:
    others: tuple[dict[str, Any], ...] = ({"click": 1}, {"boost": 0}, {"flagged": True}, {"boost": 1})
    for number, known in enumerate(others):
        shop.tell(sold(200 + number, 1, **known))
    sums = judged(shop, JUDGED).verdict.sums
    assert (sums.orders, sums.spend, sums.gmv) == (10, BOOSTED, 9000 * YUAN)
    shop.tell(sold(300, 1))
    assert judged(shop, JUDGED).verdict.sums.orders == 11


def test_a_late_order_corrects_it_both_before_and_after_it_was_paid(shop: Shop) -> None:
    shop.close_until(JUDGED)
    shop.tell(sold(201, 1, JUDGED))
    shop.close_until(PAID)
    assert (judged(shop, PAID).promised, judged(shop, PAID).paid) == (0, 1680 * YUAN)  # the promise was made anew
    shop.tell(sold(202, 2, PAID))
    shop.close_until(PAID + timedelta(days=2))
    assert judged(shop, PAID + timedelta(days=2)).paid == 1440 * YUAN
    unit = boost_unit_id(BOOST.id)
    with reading(shop.desk.database) as connection:
        amounts = [one.compensation // YUAN for one in closes.given(connection, [unit])[unit]]
        assert ledger.balanced(connection)
    assert amounts == [1800, 1680, 1440]


def test_a_charge_known_late_moves_the_first_spend_day_and_nothing_is_paid_twice(shop: Shop) -> None:
    shop.close_until(PAID)
    early = facts(Kind.CHARGE, 90, 1, midnight(PAID), amount=40 * YUAN, impression_id=90, boost=2)
    shop.tell(early)
    shop.close_until(PAID + timedelta(days=2))
    assert judged(shop, PAID + timedelta(days=2)).paid == 1840 * YUAN


def granted(shop: Shop, amount: int) -> None:
    filed = claims.file(shop.of(FINANCE), asked(amount))
    claims.take(shop.of(REVIEWER), filed.claim.id)
    claims.approve(shop.of(REVIEWER), filed.claim.id)


@pytest.mark.parametrize(("claimed", "due"), [(900, 1800), (1500, 1300), (2000, 800)])
def test_a_claim_granted_before_is_not_compensated_again(shop: Shop, claimed: int, due: int) -> None:
    granted(shop, claimed * YUAN)
    shop.close_until(PAID)
    assert judged(shop, PAID).paid == due * YUAN
    shop.close_until(DAY + timedelta(days=9))
    day = shop.day
    assert day.boosts_compensated == due * YUAN
    assert day.compensated + day.boosts_compensated + day.claimed_amount <= SPEND + BOOSTED


def test_a_claim_after_it_is_for_the_rest_and_takes_nothing_of_it_away(shop: Shop) -> None:
    shop.close_until(PAID)
    later = shop.on(PAID)
    with pytest.raises(Refused, match=r"2000\.00 are left"):
        granted(later, 2001 * YUAN)
    granted(later, 2000 * YUAN)
    shop.tell(sold(201, 1, PAID))
    shop.close_until(DAY + timedelta(days=9))
    assert judged(shop, DAY + timedelta(days=9)).paid == 1680 * YUAN  # the correction alone goes
    day = shop.day
    assert (day.compensated, day.boosts_compensated, day.claimed_amount) == (0, 1680 * YUAN, 2000 * YUAN)
    assert day.left == 320 * YUAN


def test_targets_of_its_plan_count_among_its_changes(shop: Shop) -> None:
    now = plans.StoredPlan(PLAN, 0)
    for minute, value in enumerate(("7", "6.5", "6")):
        at = midnight(DAY) + timedelta(hours=15, minutes=minute)
        with shop.desk.database.begin() as connection:
            now = plans.append(connection, change(now.plan, now.version + 1, at, "owner", "", target=Decimal(value)))
    shop.close_until(PAID)
    one = judged(shop, PAID)
    assert (one.status, one.verdict.reason, one.verdict.forgone) == (Status.VOID, Reason.TOO_MANY_CHANGES, 1800 * YUAN)
    assert one.promised == one.paid == 0


def test_a_boost_is_kept_once_and_of_no_other_kind(shop: Shop) -> None:
    with shop.desk.database.begin() as connection:
        boosts.create(connection, BOOST)
        with pytest.raises(Refused, match="boost 70 is stored already"):
            boosts.create(connection, replace(BOOST, budget=micros("1")))
        assert boosts.load(connection, BOOST.id) == BOOST
        with pytest.raises(NotFound):
            boosts.load(connection, 71)
    with pytest.raises(BadInput, match="only a boost of creatives has a guarantee"):
        Boost(1, 1, BoostKind.PLAN, YUAN, 0, 1, policy=POLICY)


def test_another_shop_does_not_see_it(shop: Shop) -> None:
    from qianheng.actions.boost_units import kept_boost_case
    from qianheng.actions.standing import standings

    shop.close_until(PAID)
    assert [one.judged.boost_id for one in standings(shop.on(PAID).desk) if one.judged.boost_id] == [BOOST.id]
    assert standings(shop.on(PAID).of(STRANGER)) == []
    with pytest.raises(NotFound, match="there is no boost 70"):
        kept_boost_case(shop.of(STRANGER), BOOST.id)
