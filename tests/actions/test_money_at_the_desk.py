"""Money at the desk: each instruction once, by whoever may, and every line of it proven."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from qianheng.actions import books
from qianheng.cli import main
from qianheng.core.actors import REVIEWER, Actor, Role
from qianheng.core.days import midnight
from qianheng.core.money import YUAN
from qianheng.core.words import speak
from qianheng.ledger.spending import Payment
from qianheng.ledger.transfers import AccountKind, State, Transfer, account
from qianheng.plans.plan import Goal, Plan, PlanKind
from qianheng.store import audit, ledger, members, plans, runs
from qianheng.store.database import connect, migrate, reading
from qianheng.store.statement import statement

FIRST, CLOCK = date(2025, 9, 10), date(2025, 10, 3)
PLAN = Plan(1, 1, 5, "裙子", PlanKind.PRODUCT, Goal.PAYMENT, Decimal("2"), 300 * YUAN, (11,))
EXPENSE, CREDIT = account(AccountKind.GUARANTEE_EXPENSE).id, account(AccountKind.CREDIT, 5).id
Call = Callable[..., Any]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A run of a shop with 1000 yuan, which spent 40 of credit and 60 of cash in September and has 30 frozen."""
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    database = connect(f"sqlite:///{tmp_path / 'runs' / 'shop-1-abc' / 'run.db'}")
    migrate(database)
    with database.begin() as connection:
        runs.begin(connection, 1, {"scenario": "shop"}, CLOCK)
        for member in (Actor("owner", Role.OWNER, 1), Actor("ops", Role.OPERATOR, 1), Actor("zhao", Role.OWNER, 2)):
            members.found(connection, member, midnight(FIRST))
        members.found(connection, REVIEWER, midnight(FIRST))
        books.open_accounts(connection, 5, 1000 * YUAN, midnight(FIRST))
        plans.create(connection, PLAN)
        plans.create(connection, replace(PLAN, id=2, shop_id=2, ad_account_id=6))
        books.open_accounts(connection, 6, 7 * YUAN, midnight(FIRST))
        at = midnight(FIRST) + timedelta(hours=9)
        ledger.record(connection, [Transfer(77, EXPENSE, CREDIT, 40 * YUAN, at, reason="compensation")])
        ledger.spend(connection, Payment(1, 5, 100 * YUAN, at, reference=PLAN.id))
        ledger.hold(connection, Payment(2, 5, 30 * YUAN, midnight(CLOCK), reference=PLAN.id))
    return database


@pytest.fixture
def call(kept: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """`qianheng money`: what it answers in JSON; what it tells, if it refuses or is asked in words."""

    def said(*arguments: object, code: int = 0, words: bool = False) -> Any:
        line = ["qianheng", "money", *map(str, arguments), *([] if words or code == 2 else ["--json"])]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as ended:
            main.main()
        told = capsys.readouterr()
        assert (ended.value.code or 0) == code, told.err
        return told.out if words else json.loads(told.out) if told.out else told.err

    yield said
    speak("en")


def test_a_balance_tells_what_is_there_what_is_frozen_and_when_credit_lapses(call: Call) -> None:
    call("grant", "20", "--as", "reviewer", "--account", 5, "--expires", "2025-12-31")
    told = call("balance")
    assert told["cash"] == {"available": "910.00", "frozen": "30.00", "promised": "0.00"}
    assert told["total"]["available"] == "930.00"
    (grant,) = told["grants"]
    assert (grant["reason"], grant["available"]) == ("promotion", "20.00")
    assert grant["expires_at"] == "2026-01-01T00:00:00+08:00"


def test_the_same_key_is_answered_as_before_and_another_content_under_it_is_refused(call: Call, kept: Engine) -> None:
    first = call("top-up", "50", "--key", "order 17")
    assert first["available"]["cash"] == "960.00"
    call("top-up", "1")
    assert call("top-up", "50.00", "--key", "order 17", "--now", "2025-10-09") == first
    assert "order 17" in call("top-up", "51", "--key", "order 17", code=1)
    assert "order 17" in call("withdraw", "50", "--key", "order 17", code=1)
    with reading(kept) as connection:
        done = [(entry.actor, entry.act, entry.detail["key"]) for entry in audit.entries(connection)]
    assert done == [("owner", "move_money", "order 17"), ("owner", "move_money", "#2")]


def test_credit_given_is_answered_as_before_even_after_it_has_lapsed(call: Call) -> None:
    asked = ("grant", "20", "--as", "reviewer", "--account", 5, "--expires", "2025-10-20", "--key", "gift")
    first = call(*asked)
    assert call(*asked, "--now", "2025-10-25") == first


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["withdraw", "910.01"], 1, "910.00"),
        (["withdraw", "5", "--as", "ops"], 1, "finance"),
        (["grant", "5"], 1, "reviewer"),
        (["grant", "5", "--as", "reviewer"], 2, "5, 6"),
        (["balance", "--as", "reviewer", "--account", "9"], 2, "9"),
        (["balance", "--account", "6"], 2, "no ad account 6"),
        (["statement", "--plan", "2"], 2, "2"),
        (["statement", "--of", "gold"], 2, "cash, credit"),
        (["statement", "--from", "yesterday"], 2, "--from: 'yesterday'"),
        (["top-up", "0"], 2, "0.00"),
        (["top-up", "1.234"], 2, "1.234"),
        (["top-up", "ten"], 2, "AMOUNT"),
        (["top-up", "1", "--key", "#1"], 2, "#1"),
        (["grant", "5", "--as", "reviewer", "--account", "5", "--expires", "2025-10-03"], 2, "2025-10-03"),
        (["grant", "5", "--as", "reviewer", "--account", "5", "--reason", "love"], 2, "promotion, manual"),
        (["close", "--month", "2025-13"], 2, "2025-13"),
        (["close", "--month", "2025-10"], 1, "2025-11-01"),
        (["close", "--month", "2025-09", "--as", "ops"], 1, "finance"),
        (["export", "money", "--out", "x.csv"], 2, "statement, month, invoices"),
        (["export", "statement", "--out", "x.pdf"], 2, ".parquet"),
    ],
)
def test_what_is_refused_says_why_and_moves_nothing(
    call: Call, kept: Engine, arguments: list[str], code: int, told: str
) -> None:
    before = call("statement")
    assert told in call(*arguments, code=code)
    assert call("statement") == before
    with reading(kept) as connection:
        assert audit.entries(connection) == []


def test_cash_that_is_free_can_be_withdrawn_to_the_fen(call: Call) -> None:
    assert call("withdraw", "910")["available"] == {"cash": "0.00", "credit": "0.00", "frozen": "30.00"}
    assert call("verify")["verified"]


def test_a_statement_tells_every_line_with_the_balance_after_it_and_which_credit_paid(call: Call) -> None:
    lines = call("statement")["lines"]
    assert [(line["account"], line["change"], line["balance"]) for line in lines] == [
        ("cash", "1000.00", "1000.00"),
        ("credit", "40.00", "1040.00"),
        ("credit", "-40.00", "1000.00"),
        ("cash", "-60.00", "940.00"),
    ]
    assert [line["about"] for line in lines] == [None, None, "裙子", "裙子"]
    expires = "2026-09-10T09:00:00+08:00"
    assert lines[2]["grants"] == [{"grant": "77", "amount": "40.00", "expires_at": expires}]


@pytest.mark.parametrize(
    ("options", "balances"),
    [
        (["--of", "cash"], ["1000.00", "940.00"]),
        (["--reason", "spend"], ["1000.00", "940.00"]),
        (["--plan", "1"], ["1000.00", "940.00"]),
        (["--from", "2025-09-11"], []),
        (["--to", "2025-09-09"], []),
        (["--from", "2025-09-10", "--to", "2025-09-10", "--of", "credit"], ["1040.00", "1000.00"]),
    ],
)
def test_lines_left_out_of_a_statement_change_no_balance(call: Call, options: list[str], balances: list[str]) -> None:
    assert [line["balance"] for line in call("statement", *options)["lines"]] == balances


def test_pages_of_a_statement_are_the_statement(call: Call) -> None:
    whole, found = call("statement")["lines"], []
    after: int | None = 0
    while after is not None:
        page = call("statement", "--limit", 1, "--after", after)
        found += page["lines"]
        after = page["next"]
    assert found == whole
    assert "--after 1" in call("statement", "--limit", 1, words=True)


def test_holds_are_shown_with_what_they_are_for(call: Call) -> None:
    (hold,) = call("holds")
    assert (hold["what"], hold["account"], hold["amount"], hold["about"]) == ("hold", "cash", "30.00", "裙子")


def test_a_month_closes_once_and_what_is_dated_in_it_later_comes_right_after_it_with_a_note(call: Call) -> None:
    shown = call("close", "--month", "2025-09", "--show")
    assert not shown["closed"]
    told = call("close", "--month", "2025-09")
    assert told["closed"]
    assert told["opening"]["balance"] == "0.00"
    assert {one["reason"]: one["balance"] for one in told["movements"]} == {
        "compensation": "40.00",
        "spend": "-100.00",
        "top_up": "1000.00",
    }
    assert told["closing"] == {"cash": "940.00", "credit": "0.00", "balance": "940.00"}
    assert call("close", "--month", "2025-09") == told
    late = call("top-up", "3", "--now", "2025-09-20")
    assert late["at"] == "2025-10-01T00:00:00+08:00"
    line = call("statement")["lines"][-1]
    assert (line["at"], line["happened_at"]) == ("2025-10-01T00:00:00+08:00", "2025-09-20T00:00:00+08:00")
    assert call("close", "--month", "2025-09", "--show")["movements"] == told["movements"]
    assert call("close", "--month", "2025-10", "--show")["opening"] == told["closing"]
    assert call("verify")["months"] == 1


def test_a_month_with_something_open_says_what_and_stays_open(call: Call, kept: Engine) -> None:
    promise = Transfer(9, EXPENSE, CREDIT, 8 * YUAN, midnight(date(2025, 9, 30)), State.PENDING, reason="compensation")
    with kept.begin() as connection:
        ledger.record(connection, [promise])
    assert "compensation 8.00 (2025-09-30)" in call("close", "--month", "2025-09", code=1)
    assert [one["amount"] for one in call("close", "--month", "2025-09", "--show")["open"]] == ["8.00"]
    with kept.begin() as connection:
        ledger.post(connection, 9, midnight(CLOCK))
    assert call("close", "--month", "2025-09")["closed"]


def test_months_are_closed_in_order(call: Call) -> None:
    late = ["--now", "2025-12-05"]
    assert "2025-09" in call("close", "--month", "2025-11", *late, code=1)


def test_only_cash_spent_less_cash_given_back_is_invoiced(call: Call, kept: Engine) -> None:
    revenue, cash = account(AccountKind.REVENUE).id, account(AccountKind.CASH, 5).id
    with kept.begin() as connection:
        ledger.record(connection, [Transfer(8, revenue, cash, 25 * YUAN, midnight(CLOCK), reason="claim")])
    call("close", "--month", "2025-09")
    told = [(one["month"], one["closed"], one["invoiceable"], one["credit_spent"]) for one in call("invoices")]
    assert told == [("2025-09", True, "60.00", "40.00"), ("2025-10", False, "-25.00", "0.00")]


@pytest.mark.parametrize("what", [["statement"], ["month", "--month", "2025-09"], ["invoices"]])
def test_an_export_has_the_same_rows_in_every_form(call: Call, tmp_path: Path, what: list[str]) -> None:
    files = [tmp_path / f"out{suffix}" for suffix in (".csv", ".xlsx", ".parquet")]
    counts = [call("export", *what, "--out", file)["rows"] for file in files]
    with files[0].open(encoding="utf-8-sig", newline="") as file:
        names, *rows = csv.reader(file)
    assert counts == [len(rows)] * 3
    table = pq.read_table(files[2])
    assert table.column_names == names
    told = [["" if value is None else str(value).strip() for value in row.values()] for row in table.to_pylist()]
    assert [[_plain(cell) for cell in row] for row in told] == [[_plain(cell.strip()) for cell in row] for row in rows]
    assert files[1].read_bytes()[:2] == b"PK"


def _plain(cell: str) -> str | Decimal:
    """A number as a number, however many zeros it ends in."""
    return Decimal(cell) if cell.replace(".", "").lstrip("-").isdigit() else cell


def test_a_ledger_that_was_tampered_with_is_not_verified_and_the_first_difference_is_named(
    call: Call, kept: Engine
) -> None:
    with kept.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER account_update_rules")
        connection.exec_driver_sql("DROP TRIGGER credit_grant_update_rules")
        connection.exec_driver_sql("UPDATE account SET posted = posted + 1000000 WHERE kind = 'cash' AND owner = 5")
        connection.exec_driver_sql("UPDATE credit_grant SET available = 5")
    told = call("verify", code=1)
    assert not told["verified"]
    assert [one["kind"] for one in told["differences"]] == ["balance", "sum", "grant"]
    assert "cash 5" in told["differences"][0]["text"]
    assert "941.00" in told["differences"][0]["text"]


def test_an_entry_changed_behind_the_back_of_the_rules_is_found(call: Call, kept: Engine) -> None:
    with kept.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER transfer_update_rules")
        connection.exec_driver_sql("UPDATE transfer SET amount = 99000000 WHERE reason = 'spend'")
    assert call("verify", code=1)["differences"][0]["kind"] == "entry"


def test_every_command_speaks_to_people_in_both_languages(call: Call, tmp_path: Path) -> None:
    commands = [["balance"], ["statement"], ["holds"], ["invoices"], ["verify"], ["close", "--month", "2025-09"]]
    commands += [["top-up", "5"], ["withdraw", "5"], ["export", "invoices", "--out", str(tmp_path / "i.csv")]]
    for command in commands:
        english, chinese = call(*command, words=True), call(*command, "--lang", "zh", words=True)
        assert english
        assert chinese
        assert english != chinese


def test_a_statement_reads_the_database_a_part_at_a_time(kept: Engine) -> None:
    at: datetime = midnight(CLOCK)
    cash, clearing = account(AccountKind.CASH, 5).id, account(AccountKind.CLEARING).id
    with kept.begin() as connection:
        ledger.record(connection, [Transfer(1000 + i, clearing, cash, 1, at) for i in range(2_500)])
        lines = list(statement(connection, 5))
        assert len(lines) == 2_504
        assert lines[-1].holding.total == 940 * YUAN + 2_500
        assert list(statement(connection, 5, after=lines[1_200].sequence)) == lines[1_201:]
