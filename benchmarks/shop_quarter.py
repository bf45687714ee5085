"""One shop's quarter lived under one arm, and what it came to."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import process_time

from benchmarks.arms import ARMS, WEEK
from benchmarks.shops import shop
from qianheng.actions.desk import desk_of
from qianheng.actions.proposals import list_proposals
from qianheng.actions.simulation import RunFolder
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import PlanRun, RunSummary
from qianheng.core.money import YUAN
from qianheng.guarantee.reasons import Status
from qianheng.plans.writing import shown
from qianheng.strategy.decisions import Standing, Step
from qianheng.strategy.proposal import Measure

MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Followed:
    """A change that was proposed and carried out: the profit a day (元) it was expected to add and was measured to add,
    `None` where that is not known.
    """

    plan_id: str
    day: int
    action: str
    rule: str
    change: str
    expected: float | None
    measured: float | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a shop's quarter came to under one arm, 元. `profit`: what all its orders contributed, less spend, with the
    compensation it was paid. `weekly`: the profit of what counts for its plans, week by week, without compensation.
    """

    set: str
    shop: int
    arm: str
    days: int
    profit: float
    net_gmv: float
    gmv: float
    spend: float
    compensation: float
    orders: int
    changes: int
    voided: int
    days_compensated: int
    weekly: list[float] = field(default_factory=list)
    followed: list[Followed] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Life:
    """Which shop lives how many days under which arm."""

    set: str
    shop: int
    arm: str
    days: int

    def live(self) -> Outcome:
        """Live it in a folder that is gone afterwards, in memory if there is such a place."""
        began, living = process_time(), shop(self.set, self.shop, self.days)
        with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
            run = ARMS[self.arm](living, Path(folder))
            found = _outcome(self, summarise(run), _followed(run))
        return replace(found, seconds=round(process_time() - began, 1))


def _outcome(life: Life, summary: RunSummary, followed: Sequence[Followed]) -> Outcome:
    days = [day for plan in summary.plans for day in plan.days]
    earned = sum(seller.earned.profit for seller in summary.shops)
    return Outcome(
        life.set,
        life.shop,
        life.arm,
        life.days,
        profit=(earned + summary.compensation) / YUAN,
        net_gmv=sum(day.all_sums.net_gmv for day in days) / YUAN,
        gmv=sum(day.all_sums.gmv for day in days) / YUAN,
        spend=sum(day.sums.spend for day in days) / YUAN,
        compensation=summary.compensation / YUAN,
        orders=sum(day.all_sums.orders for day in days),
        changes=sum(len(plan.log) for plan in summary.plans),
        voided=sum(day.judged.status is Status.VOID for day in days),
        days_compensated=sum(day.judged.status is Status.COMPENSATED for day in days),
        weekly=_weekly(summary.plans),
        followed=list(followed),
    )


def _weekly(plans: Sequence[PlanRun]) -> list[float]:
    by_day = zip(*(one.days for one in plans), strict=True)
    profits = [sum(day.contribution - day.sums.spend for day in days) for days in by_day]
    return [round(sum(profits[first : first + WEEK]) / YUAN, 2) for first in range(0, len(profits), WEEK)]


def _followed(run: RunFolder) -> list[Followed]:
    """What was carried out of what was proposed, in the order it was made."""
    with desk_of(str(run.path)) as desk:
        made = list_proposals(desk, str(desk.actor.shop_id))
    done = [(one, step) for one in made if (step := one.made(Step.CARRY_OUT)) is not None]
    return [_told(one, (step.at.date() - run.scenario.first_day).days + 1) for one, step in done]


def _told(standing: Standing, day: int) -> Followed:
    proposal, found = standing.proposal, standing.found
    before, after = proposal.before, standing.after
    change = ", ".join(f"{name} {shown(name, before.get(name))} → {shown(name, after[name])}" for name in after)
    profit = found.of(Measure.PROFIT) if found else None
    return Followed(
        proposal.plan_id or "",
        day,
        str(proposal.action),
        proposal.reason.rule,
        change,
        None if proposal.gain is None else proposal.gain / YUAN,
        None if profit is None else float(profit.measured.expected) / YUAN,
        str(found.outcome) if found else "",
    )
