"""A small run, and everything that is to be the same however it came about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from qianheng.actions.driver import Driver
from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary_json import as_json
from qianheng.ledger.transfers import AccountKind, account, accounts_of, platform_accounts
from qianheng.store import ledger
from qianheng.store.database import reading

# Two small days: a target is changed twice within the second, the live plan's budget cut on the first.
SMALL: Mapping[str, str] = {
    "days": "2",
    "opportunities_per_day": "1500",
    "journal": "0.2",
    "buyers.population": "1500",
    "plans.0.changes": """[
        { day = 2, time = "10:00", field = "target", value = "2.6" },
        { day = 2, time = "10:40", field = "target", value = "2.5" }]""".replace("\n", ""),
    "plans.1.changes": '[{ day = 1, time = "16:00", field = "budget_daily", value = "20" }]',
}


# Predictions four times too high: targets are missed, by far.
MISSED: Mapping[str, str] = {
    "days": "3",
    "opportunities_per_day": "8000",
    "buyers.population": "8000",
    "prediction.bias": "4",
    "plans.0.policy": "shopee-gmv-max",
    "plans.0.goal": "payment",
    "plans.0.target": "4",
    "plans.0.counting": "all",
    "plans.0.budget_daily": "600",
    "plans.0.boosts": '[{ day = 1, time = "12:00", hours = 4, budget = 80 }]',
}


def request(folder: Path, **overrides: str) -> RunRequest:
    return RunRequest("tiny", overrides={**SMALL, **overrides}, folder=folder)


def lived(folder: Path) -> RunFolder:
    return run_simulation(request(folder))


def missed(folder: Path) -> RunFolder:
    return run_simulation(request(folder, **MISSED))


def told(run: RunFolder) -> dict[str, Any]:
    """The run as JSON, but for the time it took."""
    return {name: value for name, value in as_json(summarise(run)).items() if name != "seconds"}


def transfers(run: RunFolder) -> list[tuple[object, ...]]:
    """Every posted line of every account."""
    accounts = [*platform_accounts(), *accounts_of(run.scenario.ad_account.id)]
    database = run.database()
    with reading(database) as connection:
        lines = [(one.kind, line) for one in accounts for line in ledger.statement(connection, one.id)]
        assert ledger.balanced(connection)
        assert ledger.balance(connection, account(AccountKind.REVENUE).id).reserved == 0
    database.dispose()
    return [(kind, line) for kind, line in lines]


class Killed(BaseException):
    """The process dies; nothing is cleaned up."""


def killed_each_day(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every day die once, lived but not yet closed; the starts of those that have, so far."""
    real, deaths = Driver.run_day, list[int]()

    def dying(self: Driver, start: int, *rest: object) -> object:
        day = real(self, start, *rest)  # type: ignore[arg-type]
        if start not in deaths:
            deaths.append(start)
            raise Killed
        return day

    monkeypatch.setattr(Driver, "run_day", dying)
    return deaths
