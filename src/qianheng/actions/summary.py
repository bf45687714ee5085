"""What a run came to: its plans, their days and hours, its money. Records only; `actions.summarise` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from qianheng.actions.campaign_runs import CampaignRun
from qianheng.actions.earnings import Earned, Seller, best_roi
from qianheng.actions.incrementality import Incrementality
from qianheng.actions.judging import Judged
from qianheng.actions.liability import Held
from qianheng.actions.pools import Shown
from qianheng.actions.splits import MemberRun
from qianheng.bidding.frontier import Peak
from qianheng.core.money import Micros
from qianheng.guarantee.reasons import Status
from qianheng.ledger.book import StatementLine
from qianheng.measures.maturity import Seen
from qianheng.measures.sums import Sums, total
from qianheng.plans.boost import Boost
from qianheng.plans.plan import Plan, PlanChange
from qianheng.prediction.calibration import Correction
from qianheng.store.ledger import Funds


@dataclass(frozen=True, slots=True)
class PlanDay:
    """One plan on one natural day. `sums` counts as the plan counts, `all_sums` every order of the full-domain view."""

    day: date
    sums: Sums
    all_sums: Sums
    judged: Judged
    reached: float  # true expected worth of what was won, micro-yuan
    best: float  # that of the hindsight optimum
    opportunities: int
    contribution: Micros  # of what counts for the plan, before spend
    correction: Correction | None  # of its predictions, as the day ended
    learning: Mapping[str, Any] | None  # its phase then, orders it learns from, what exploring has spent
    gap: Mapping[str, float] = field(default_factory=dict)  # best less reached, by cause, micro-yuan


@dataclass(frozen=True, slots=True)
class PlanHour:
    """One plan in one hour: what it spent and sold, and how it bid. `multiplier` is `None` while it did not serve."""

    at: datetime
    spend: Micros
    gmv: Micros
    orders: int
    multiplier: float | None
    binding: str | None
    moved: Mapping[str, float] = field(default_factory=dict)  # by what, of the change of its logarithm in an hour


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a multiplier would bring a plan in a day as its landscape looked at the end, micro-yuan.

    Four days of five are expected between the low and the high end.
    """

    multiplier: float
    spend: float
    worth: float  # predicted value over target
    spend_low: float
    spend_high: float
    worth_low: float
    worth_high: float


@dataclass(frozen=True, slots=True)
class PlanRun:
    """One plan over the whole run."""

    plan: Plan
    first: Plan
    log: Sequence[PlanChange]
    days: Sequence[PlanDay]
    hours: Sequence[PlanHour]
    landscape: Sequence[Prospect]
    boosts: Sequence[tuple[Boost, Micros]] = ()  # each with what it spent
    outlooks: Mapping[date, Mapping[str, Any]] = field(
        default_factory=dict
    )  # for the day after, see `actions.frontier`
    refused: Sequence[tuple[datetime, str]] = ()  # changes that were not made, and why
    states: Mapping[str, int] = field(default_factory=dict)  # hours in each delivery state
    members: Sequence[MemberRun] = ()  # of a super plan
    ripening: Sequence[Seen | None] = ()  # what its days looked like when each was 1, 2, … days over
    earned: Earned = field(default_factory=Earned)  # of what counts for it; what it spent is in `sums`

    @property
    def outlook(self) -> Mapping[str, Any] | None:
        """The last outlook; `None` for a plan without a target."""
        return self.outlooks[max(self.outlooks)] if self.outlooks else None

    @property
    def sums(self) -> Sums:
        """The sums of all its days, as the plan counts."""
        return total(day.sums for day in self.days)

    @property
    def profit(self) -> Micros:
        """The contribution of what counts for it, less spend."""
        return sum(day.contribution for day in self.days) - self.sums.spend

    @property
    def most_profit(self) -> Peak | None:
        """The ROI at which its profit a day would be highest, as its landscape looked in the end."""
        return best_roi(self.landscape, self.outlook, self.earned, self.plan.budget_daily)

    @property
    def hindsight_ratio(self) -> float | None:
        """Share of the hindsight optimum, over all days; `None` when there was nothing to get."""
        return hindsight_ratio_of(self.days)

    @property
    def gap(self) -> dict[str, float]:
        """What keeps it from the hindsight optimum, over all days: the share of the optimum by cause."""
        return gap_shares(self.days)

    @property
    def correction(self) -> Correction | None:
        """How its predictions were corrected in the end."""
        return self.days[-1].correction if self.days else None

    @property
    def compensation(self) -> Micros:
        """What the guarantee paid."""
        return sum(day.judged.paid for day in self.days)

    @property
    def target(self) -> Fraction | None:
        """The weighted target of its days: what the guarantee measured it against."""
        return _weighted_target(self.days)

    def guarantee_days(self) -> dict[Status, int]:
        """How many of its days ended in each status."""
        found = [day.judged.status for day in self.days]
        return {status: found.count(status) for status in Status if status in found}


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A finished run: its plans, its money, and how refunds matured (share of GMV by age of the order in hours)."""

    name: str
    title: str
    seed: int
    first_day: date
    days: int
    plans: Sequence[PlanRun]
    funds: Funds
    statement: Sequence[StatementLine]
    balanced: bool
    refund_maturity: Sequence[tuple[int, float]]
    opportunities: int
    seconds: float
    campaigns: Sequence[CampaignRun] = ()
    products: Sequence[Seller] = ()
    shops: Sequence[Seller] = ()
    shown: Shown | None = None  # what people were shown, where all pools are ranked together
    liability: Sequence[Held] = ()  # what each close expected the guarantee to cost yet, beside what it did
    added: Sequence[Incrementality] = ()  # what promotion adds, of each shop that holds users out

    @property
    def sums(self) -> Sums:
        """The sums of all plans and standard campaigns."""
        return total([*(plan.sums for plan in self.plans), *(campaign.sums for campaign in self.campaigns)])

    @property
    def profit(self) -> Micros:
        """What all plans and standard campaigns earned after spend."""
        return sum(plan.profit for plan in self.plans) + sum(campaign.profit for campaign in self.campaigns)

    @property
    def target(self) -> Fraction | None:
        """The weighted target of all plan-days."""
        return _weighted_target(self._plan_days)

    @property
    def hindsight_ratio(self) -> float | None:
        """Share of the hindsight optimum of all plan-days."""
        return hindsight_ratio_of(self._plan_days)

    @property
    def gap(self) -> dict[str, float]:
        """What keeps all plan-days from their hindsight optimum: the share of it by cause."""
        return gap_shares(self._plan_days)

    @property
    def _plan_days(self) -> list[PlanDay]:
        return [day for plan in self.plans for day in plan.days]

    @property
    def compensation(self) -> Micros:
        """What the guarantee paid for all plans."""
        return sum(plan.compensation for plan in self.plans)


def _weighted_target(days: Sequence[PlanDay]) -> Fraction | None:
    sums = [day.judged.verdict.sums for day in days if day.judged.verdict.sums.promised]
    promised = sum((s.promised for s in sums), Fraction(0))
    return sum(s.gmv for s in sums) / promised if promised else None


def gap_shares(days: Sequence[PlanDay]) -> dict[str, float]:
    """The gap to the hindsight optimum of these days by cause, as shares of it; nothing where it is not known."""
    best = sum(day.best for day in days if day.gap)
    causes = {cause: None for day in days for cause in day.gap}
    return {cause: sum(day.gap.get(cause, 0.0) for day in days) / best for cause in causes if best > 0}


def hindsight_ratio_of(days: Sequence[PlanDay]) -> float | None:
    """Share of the hindsight optimum of these days; `None` when there was nothing to get."""
    best = sum(day.best for day in days)
    return sum(day.reached for day in days) / best if best > 0 else None
