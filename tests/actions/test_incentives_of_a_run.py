"""The shipped scenario of incentives, lived for three short days: what is in force, who gave and who got."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from qianheng.actions import incentives as asked
from qianheng.actions.advising import look_at_run
from qianheng.actions.desk import Desk, desk_of
from qianheng.actions.picks import picks
from qianheng.actions.proceeds import settle, sold_of
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.cli.app import build_app
from qianheng.core.money import YUAN, micros, ratio_text
from qianheng.incentives.dues import Flow
from qianheng.incentives.settling import Taken
from qianheng.ledger.transfers import AccountKind, State, account
from qianheng.measures.days import Days
from qianheng.pages.run import render
from qianheng.store import ledger, notices
from qianheng.store.database import reading
from tests.actions.opened_trees import below, kinds, trees
from tests.actions.runs_for_tests import Killed, killed_each_day

SHORT = {
    "days": "3",
    "opportunities_per_day": "4000",
    "buyers.population": "4000",
    "step_minutes": "20",
    "incentives.programme.budget": "40",
    "plans.0.commission_rate": "0.6",
}


def lived(folder: Path) -> RunFolder:
    return run_simulation(RunRequest("incentives", overrides=SHORT, folder=folder))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return lived(tmp_path_factory.mktemp("incentives"))


def test_creators_are_advised_by_what_their_rooms_sold_and_only_to_the_shop_that_sold_it(run: RunFolder) -> None:
    with desk_of(str(run.path)) as desk, reading(desk.database) as connection:
        sold = "SELECT SUM(f.amount) AS gmv, SUM(f.commission) AS commission, COUNT(*) AS orders FROM orders AS f"
        (told,) = desk.lake.query(connection, f"{sold} WHERE f.room_id = 2").to_pylist()
        (creator,) = look_at_run(desk).creators.creators
    assert (creator.name, creator.room_id) == ("阿宁", "2")
    assert (creator.gmv, creator.commission, creator.orders) == (told["gmv"], told["commission"], told["orders"])
    with desk_of(str(run.path), "owner-2") as other:
        assert look_at_run(other).creators.missing == ("creators",)


@pytest.fixture
def desk(run: RunFolder) -> Iterator[Desk]:
    with desk_of(str(run.path), "reviewer") as found:
        yield found


@pytest.fixture
def connection(desk: Desk) -> Iterator[Connection]:
    with reading(desk.database) as found:
        yield found


def posted(connection: Connection, kind: AccountKind, owner: int = 0) -> int:
    return ledger.balance(connection, account(kind, owner).id).posted


def test_the_ledger_holds_what_the_facts_say_was_kept(run: RunFolder, desk: Desk, connection: Connection) -> None:
    scenario = run.scenario
    whole = Days(scenario.first_day, desk.now.date(), scenario.timezone)
    sold = sold_of(connection, desk.lake, whole, desk.now)
    closed = {origin: takings for origin, takings in sold.items() if (desk.now.date() - origin.day).days > 7}
    kept = {shop.id: Taken() for shop in scenario.shops}
    for origin, takings in closed.items():
        kept[origin.shop_id] += sum(takings.kept.values(), Taken())
    assert {shop: posted(connection, AccountKind.PROCEEDS, shop) for shop in kept} == {
        shop: taken.proceeds for shop, taken in kept.items()
    }
    total = sum(kept.values(), Taken())
    assert posted(connection, AccountKind.SERVICE_FEES) == total.service_fee > 0
    creators = {creator for takings in closed.values() for creator, taken in takings.kept.items() if taken.commission}
    assert sum(posted(connection, AccountKind.COMMISSION, one) for one in creators) == total.commission > 0
    assert posted(connection, AccountKind.COUPONS) == 40 * YUAN - total.subsidy
    assert ledger.balanced(connection)


def test_every_transfer_of_the_run_opens_order_by_order_at_its_rate(desk: Desk) -> None:
    found = trees(desk)
    for flow in Flow:
        promised, posted_ = (kinds(below(found, flow, state)) for state in (State.PENDING, State.POSTED))
        assert {"stamped_on_orders", "order", "kept", "paid"} <= promised
        assert {"kept_of_orders", "order", "kept", "paid", "refund"} <= posted_
    rules = {part.told["rule"] for part in below(found, Flow.COMMISSION) if part.kind == "kept"}
    assert {"plan", "promoted", "creator"} & rules
    assert {part.told["rule"] for part in below(found, Flow.SERVICE_FEE) if part.kind == "kept"} >= {"category"}
    assert kinds(below(found, "subsidy_programme")) == {"from_outside"}
    assert kinds(below(found, "subsidy_lease", State.VOIDED)) == {"held"}


def test_closing_again_moves_nothing(run: RunFolder, desk: Desk) -> None:
    with desk.database.begin() as connection:
        before = [ledger.statement(connection, account(AccountKind.CLEARING).id)]
        settle(connection, desk.lake, desk.now.date(), desk.now)
        assert [ledger.statement(connection, account(AccountKind.CLEARING).id)] == before
        connection.rollback()


def test_no_coupon_and_no_programme_gives_more_than_its_budget(desk: Desk, connection: Connection) -> None:
    told = asked.coupons(connection, desk)
    assert {one["name"] for one in told if micros(one["given"])} >= {"满100减10", "店铺满40减3"}
    for one in told:
        assert micros(one["of_shop"]) + micros(one["of_platform"]) == micros(one["given"])
        assert micros(one["given"]) + micros(one["left"]) == micros(one["budget"])
        assert micros(one["left"]) >= 0
    programme = asked.subsidy(connection, desk)
    parts = (micros(programme[name]) for name in ("spent", "promised", "held", "left"))
    assert sum(parts) == micros(programme["funded"]) == 40 * YUAN
    assert micros(programme["left"]) >= 0


def test_who_may_see_the_rule_in_force(run: RunFolder, desk: Desk, connection: Connection) -> None:
    told = asked.show(connection, desk)
    assert [one["service_fee"]["share"] for one in told["products"]] == ["0.05", "0.05", "0.04", "0.04", "0.04"]
    assert told["products"][2]["service_fee"]["since"] == "2025-10-03T00:00:00+08:00"
    plan = told["plans"][0]
    assert {one["rule"] for one in plan["service_fees"]} == {"super_plan"}
    assert (plan["highest_commission"], plan["target_below"], plan["target_too_high"]) == ("0.6", "1.666667", True)
    assert [(one["own"], one["promoted"]) for one in told["creators"]] == [("0.2", "0.1"), ("0.15", "0.05")]
    with desk_of(str(run.path), "owner-2") as other:
        mine = asked.show(connection, other)
    assert [one["shop_id"] for one in mine["products"]] == [2, 2, 2]
    assert [one["plan_id"] for one in mine["plans"]] == [2]


def test_a_target_too_high_for_the_commission_is_told_when_the_plan_is_made(connection: Connection) -> None:
    (told,) = [one for one in notices.notices(connection, 1) if one.kind == "incentives.too_high"]
    assert "not below 1.67" in told.text()


def test_what_is_saved_is_what_the_category_would_have_taken_more(desk: Desk, connection: Connection) -> None:
    told = asked.savings(connection, desk)
    assert told["rows"]
    for row in told["rows"]:
        assert row["plan_id"] == 1
        full, fee = micros(row["gmv"]) * 5 // 100, micros(row["gmv"]) * 6 // 1000
        assert (micros(row["fee_by_category"]), micros(row["fee_estimated"])) == (full, fee)
        assert micros(row["saved_estimated"]) == full - fee


def test_a_hosted_plan_shows_the_best_of_all_products_of_its_shop(connection: Connection, desk: Desk) -> None:
    hosted = next(one for one in picks(connection, desk) if one["chosen"] == "hosted")
    assert sorted(one["product_id"] for one in hosted["products"]) == [21, 22, 23]
    assert sum(one["shown"] for one in hosted["products"]) == 2
    expected = [micros(one["settled_gmv"]) for one in hosted["products"]]
    assert expected == sorted(expected, reverse=True)


def test_the_summary_tells_profit_breakeven_and_what_was_taken(run: RunFolder) -> None:
    summary = summarise(run)
    told: dict[str, Any] = as_json(summary)
    for shop in told["shops"]:
        mine = [one for one in told["products"] if one["shop_id"] == shop["id"]]
        assert micros(shop["profit"]) == sum(micros(one["profit"]) for one in mine)
        assert micros(shop["profit"]) == micros(shop["contribution"]) - micros(shop["spend"])
    assert sum(micros(one["spend"]) for one in told["shops"]) == micros(told["spend"])
    for one, plan in zip(told["plans"], summary.plans, strict=True):
        sums = plan.sums
        assert {name: micros(held) for name, held in one["estimated"].items()} == {
            name: getattr(sums, name) for name in ("service_fee", "commission", "coupon", "subsidy")
        }
        assert all(micros(one["settled"][name]) <= micros(one["estimated"][name]) for name in one["settled"])
        paid = sums.spend + sums.service_fee + sums.commission + sums.coupon
        assert one["overall_roi"] == ratio_text(Fraction(sums.gmv - sums.refunded_1h, paid))
    page = render(summary)
    assert "What was earned" in page
    assert "洁面乳" in page


@pytest.mark.slow
def test_killed_every_day_it_comes_to_the_same_coupons_and_money(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = killed_each_day(monkeypatch)
    while True:
        try:
            again = lived(tmp_path)
            break
        except Killed:
            continue
    assert len(deaths) == 3
    assert _told(again) == _told(run)


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("show", "super plan"),
        ("savings", "Saved by the reduced fee"),
        ("subsidy", "百亿补贴"),
        ("coupons", "店铺满40减3"),
        ("picks", "by the system"),
    ],
)
def test_the_commands_print_tables_and_json(run: RunFolder, command: str, word: str) -> None:
    where = ["--run", str(run.path), "--as", "reviewer"]
    table = CliRunner().invoke(build_app(), ["incentives", command, *where])
    assert table.exit_code == 0
    assert word in table.stdout
    answer = CliRunner().invoke(build_app(), ["incentives", command, *where, "--json"])
    assert json.loads(answer.stdout)


def _told(run: RunFolder) -> object:
    database = run.database()
    with reading(database) as connection:
        clearing = list(ledger.statement(connection, account(AccountKind.CLEARING).id))
        coupons = list(ledger.statement(connection, account(AccountKind.COUPONS).id))
    database.dispose()
    assert {Flow.SALES, Flow.SUBSIDY} <= {line.transfer.reason for line in (*clearing, *coupons)}
    return {name: value for name, value in as_json(summarise(run)).items() if name != "seconds"}, clearing, coupons
