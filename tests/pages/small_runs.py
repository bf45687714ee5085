"""A small run of the scenario `tiny`, lived once a process, and what could have come of it."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from qianheng.actions.promises import unit_id
from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import PlanRun, RunSummary
from qianheng.core.money import YUAN
from qianheng.guarantee.reasons import Status
from qianheng.ledger.book import StatementLine
from qianheng.ledger.transfers import AccountKind, Transfer, account

PAID_AT = datetime(2025, 10, 13, 16, 0, tzinfo=UTC)


@cache
def small_run() -> RunSummary:
    """Two days of a product plan, whose target is changed, and of a live plan."""
    with tempfile.TemporaryDirectory(prefix="qianheng-pages-") as folder:
        overrides = {"days": "2", "opportunities_per_day": "3000"}
        return summarise(run_simulation(RunRequest("tiny", overrides=overrides, folder=Path(folder))))


def named(summary: RunSummary, name: str) -> RunSummary:
    """The same run, its title and every plan called `name`, changed by somebody of that name for that reason."""
    return replace(summary, title=name, plans=[_renamed(run, name) for run in summary.plans])


def _renamed(run: PlanRun, name: str) -> PlanRun:
    log = [replace(made, actor=name, reason=name) for made in run.log]
    return replace(run, plan=replace(run.plan, name=name), log=log)


def compensated(summary: RunSummary) -> RunSummary:
    """The same run, had the first plan's first day been paid 12.34 yuan."""
    first, *others = summary.plans
    paid, amount = first.days[0], 1_234 * YUAN // 100
    verdict = replace(paid.judged.verdict, status=Status.CONFIRMING, reason=None, compensation=amount)
    judged = replace(paid.judged, verdict=verdict, paid=amount, status=Status.COMPENSATED)
    run = replace(first, days=[replace(paid, judged=judged), *first.days[1:]])
    expense = account(AccountKind.GUARANTEE_EXPENSE).id
    credit = account(AccountKind.CREDIT, first.plan.ad_account_id).id
    reference = unit_id(first.plan.id, paid.day)
    transfer = Transfer(1, expense, credit, amount, PAID_AT, reason="compensation", reference=reference)
    line = StatementLine(transfer, amount, amount)
    return replace(summary, plans=[run, *others], statement=[*summary.statement, line])


def silent(summary: RunSummary) -> RunSummary:
    """A run in which nothing happened: no hour, no change, no refund, no transfer; one plan without a day."""
    nothing = replace(summary.plans[0], days=[], hours=[], log=[], landscape=[], ripening=[])
    return replace(summary, plans=[nothing], statement=[], refund_maturity=[])
