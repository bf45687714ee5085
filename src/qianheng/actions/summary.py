"""What a run came to, summed from its facts, its ledger and its change logs: what can be summed is not remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection

from qianheng.actions import books, splits
from qianheng.actions.books import Judged
from qianheng.actions.boosts import boost_json
from qianheng.actions.campaign_runs import CampaignRun, campaign_json, campaign_runs
from qianheng.actions.pools import Shown, shown_json, shown_of
from qianheng.actions.profit import Sold, goods_of
from qianheng.actions.simulation import RunFolder
from qianheng.actions.splits import MemberRun
from qianheng.core.days import HOUR, microseconds, midnight, moment
from qianheng.core.money import Micros, ratio_text, yuan
from qianheng.core.words import language
from qianheng.facts.schema import Channel
from qianheng.guarantee.verdict import Status
from qianheng.ledger.book import StatementLine
from qianheng.ledger.transfers import AccountKind, account
from qianheng.measures.days import Days, date_of
from qianheng.measures.query import plan_day, plan_day_traffic, plan_hour, plan_product, refund_maturity, sums_of
from qianheng.measures.sums import Sums, total
from qianheng.plans.boost import Boost
from qianheng.plans.plan import Counting, Plan, PlanChange
from qianheng.prediction.calibration import Correction
from qianheng.store import ledger, plans, runs
from qianheng.store.database import reading
from qianheng.store.ledger import Funds

OUTLOOK = ("feasible", "expected", "nearest")


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
    """What a multiplier would bring a plan in a day as its landscape looked at the end, micro-yuan."""

    multiplier: float
    spend: float
    worth: float  # predicted value over target


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
    def hindsight_ratio(self) -> float | None:
        """Share of the hindsight optimum, over all days; `None` when there was nothing to get."""
        return _hindsight_ratio(self.days)

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
    shown: Shown | None = None  # what people were shown, where all pools are ranked together

    @property
    def sums(self) -> Sums:
        """The sums of all plans and standard campaigns."""
        return total([*(plan.sums for plan in self.plans), *(campaign.sums for campaign in self.campaigns)])

    @property
    def profit(self) -> Micros:
        """What all plans earned after spend."""
        return sum(plan.profit for plan in self.plans)

    @property
    def target(self) -> Fraction | None:
        """The weighted target of all plan-days."""
        return _weighted_target(self._plan_days)

    @property
    def hindsight_ratio(self) -> float | None:
        """Share of the hindsight optimum of all plan-days."""
        return _hindsight_ratio(self._plan_days)

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


def summarise(run: RunFolder) -> RunSummary:
    """Read a finished run back: every figure is summed from the run's facts and ledger."""
    scenario = run.scenario
    days = Days(scenario.first_day, scenario.first_day + timedelta(days=scenario.days - 1), scenario.timezone)
    database = run.database()
    with reading(database) as connection:
        reader = _Reader(connection, run, days)
        cash = account(AccountKind.CASH, scenario.ad_account.id).id
        credit = account(AccountKind.CREDIT, scenario.ad_account.id).id
        lines = [*ledger.statement(connection, cash), *ledger.statement(connection, credit)]
        summary = RunSummary(
            name=scenario.name,
            title=getattr(scenario.title, language()),
            seed=run.seed,
            first_day=scenario.first_day,
            days=scenario.days,
            plans=[reader.plan_run(kept.plan) for kept in plans.load_all(connection)],
            funds=ledger.funds(connection, scenario.ad_account.id),
            statement=sorted(lines, key=lambda line: line.transfer.at),
            balanced=ledger.balanced(connection),
            refund_maturity=reader.refund_maturity(),
            opportunities=sum(told["opportunities"] for told in reader.told.values()),
            seconds=run.seconds,
            campaigns=campaign_runs(connection, run, days),
            shown=shown_of(reader.told.values()),
        )
    database.dispose()
    return summary


class _Reader:
    """Everything asked of the lake once, handed out by plan."""

    def __init__(self, connection: Connection, run: RunFolder, days: Days) -> None:
        self.connection, self.days, lake = connection, days, run.lake()
        self.told, self.scenario = runs.told(connection, run.run_id), run.scenario
        self.split = [row for told in self.told.values() for row in told.get("split", ())]
        self.boosts = {plan.id: run.scenario.boosts_of(plan) for plan in run.scenario.plans}
        answer = lake.query(connection, plan_day(days))
        traffic = sums_of(lake.query(connection, plan_day_traffic(days)))
        self.sums = {True: sums_of(answer, Channel.PROMOTED), False: sums_of(answer)}
        self.traffic = traffic
        sold = Sold(lake.query(connection, plan_product(days)), goods_of(run.scenario))
        self.contributions = {promoted: sold.contributions(promoted) for promoted in (True, False)}
        self.hours = lake.query(connection, plan_hour(days)).to_pylist()
        self.refunds = lake.query(connection, refund_maturity(days)).to_pylist()
        now = midnight(days.last + timedelta(days=len(self.told) + 1), days.timezone)
        self.judged = {(j.plan_id, j.day): j for j in books.judge_days(connection, lake, days, now)}

    def plan_run(self, plan: Plan) -> PlanRun:
        history = plans.history(self.connection, plan.id)
        log = plans.log(self.connection, plan.id)
        number = (self.days.last - self.days.first).days + 1
        dates = [self.days.first + timedelta(days=i) for i in range(number)]
        days = [self._day(plan, d) for d in dates]
        boosts = [(boost, books.boost_spend(self.connection, boost)) for boost in self.boosts.get(plan.id, [])]
        refused = [
            (moment(one["at"], plan.timezone), one["why"])
            for told in self.told.values()
            for one in told.get("refused", ())
            if one["plan_id"] == plan.id
        ]
        return PlanRun(
            plan=plan,
            first=history[0],
            log=log,
            days=days,
            hours=self._hours(plan),
            landscape=self._landscape(plan),
            boosts=boosts,
            outlooks=self._outlooks(plan),
            refused=refused,
            states=self._states(plan),
            members=splits.read(self.split, plan.id, self.scenario),
        )

    def _states(self, plan: Plan) -> Mapping[str, int]:
        return Counter(hour[str(plan.id)] for told in self.told.values() for hour in told.get("states", ()))

    def _outlooks(self, plan: Plan) -> dict[date, Mapping[str, Any]]:
        found = {day: told.get("outlook", {}).get(str(plan.id)) for day, told in self.told.items()}
        return {day: outlook for day, outlook in found.items() if outlook is not None}

    def refund_maturity(self) -> list[tuple[int, float]]:
        """The share of GMV refunded by each age of the order, in hours, all plans together."""
        gmv = total(sums for (plan_id, _), sums in self.sums[False].items() if plan_id >= 0).gmv
        refunded: dict[int, int] = {}
        for row in self.refunds:
            if row["plan_id"] >= 0:
                refunded[row["age_hours"] + 1] = refunded.get(row["age_hours"] + 1, 0) + row["refunded"]
        ages = sorted(refunded)
        return [(age, part / gmv) for age, part in zip(ages, accumulate(refunded[age] for age in ages), strict=True)]

    def _day(self, plan: Plan, day: date) -> PlanDay:
        key = (plan.id, day)
        traffic = self.traffic.get(key, Sums())
        promoted_only = plan.counting is Counting.ATTRIBUTED
        counted, whole = (self.sums[promoted].get(key, Sums()) + traffic for promoted in (promoted_only, False))
        reached, best, opportunities = self.told[day]["scores"].get(str(plan.id), (0.0, 0.0, 0))
        earned = self.contributions[promoted_only].get(key, 0)
        gap = self.told[day].get("gaps", {}).get(str(plan.id), {})
        correction = self.told[day].get("corrections", {}).get(str(plan.id))
        found = Correction(**correction) if correction else None
        learning = self.told[day].get("lessons", {}).get(str(plan.id))
        return PlanDay(
            day, counted, whole, self.judged[key], reached, best, opportunities, earned, found, learning, gap
        )

    def _hours(self, plan: Plan) -> list[PlanHour]:
        beats = {
            beat["at"]: beat for told in self.told.values() for beat in told["beats"] if beat["plan_id"] == plan.id
        }
        sold = {
            microseconds(midnight(date_of(row["day"]), self.days.timezone).replace(hour=row["hour"])): row
            for row in self.hours
            if row["plan_id"] == plan.id
        }
        return [
            self._hour(at, sold.get(at, {}), beats.get(at, {})) for at in range(self.days.since, self.days.until, HOUR)
        ]

    def _hour(self, at: int, sold: Mapping[str, Any], beat: Mapping[str, Any]) -> PlanHour:
        spend, gmv, orders = (sold.get(name, 0) for name in ("spend", "gmv", "orders"))
        multiplier = beat.get("multiplier") or None
        when = moment(at, self.days.timezone)
        moved = beat.get("moved") or {}
        return PlanHour(when, spend, gmv, orders, multiplier, beat.get("binding") if multiplier else None, moved)

    def _landscape(self, plan: Plan) -> list[Prospect]:
        told = self.told[self.days.last].get("landscape", {})
        return [Prospect(*point) for point in told.get(str(plan.id), ())]


def as_json(summary: RunSummary) -> dict[str, Any]:
    """The summary as plain values: money as decimal strings in yuan, ratios as decimal strings or `None`."""
    whole = _figures(summary.sums, summary.compensation) | {"profit": yuan(summary.profit)}
    run = {
        "target_roi": ratio_text(summary.target),
        "hindsight_ratio": _rounded(summary.hindsight_ratio),
        "gap": _rounded_gap(summary.gap),
        "ledger_balanced": summary.balanced,
        "seconds": round(summary.seconds, 3),
        "opportunities": summary.opportunities,
    }
    return {
        "scenario": summary.name,
        "seed": summary.seed,
        "first_day": summary.first_day.isoformat(),
        "days": summary.days,
        **whole,
        **run,
        "balance": {name: yuan(amount) for name, amount in summary.funds._asdict().items()},
        "plans": [_plan_json(plan, summary.balanced) for plan in summary.plans],
        "experience": shown_json(summary.shown),
        "campaigns": [campaign_json(campaign) for campaign in summary.campaigns],
    }


def _plan_json(plan: PlanRun, balanced: bool) -> dict[str, Any]:
    return {
        "plan_id": plan.plan.id,
        "name": plan.plan.name,
        "kind": plan.plan.kind,
        "goal": plan.plan.goal,
        "counting": plan.plan.counting,
        "pace": plan.plan.pace,
        "least_roi": None if plan.plan.least_roi is None else f"{plan.plan.least_roi.normalize():f}",
        **_figures(plan.sums, plan.compensation),
        "profit": yuan(plan.profit),
        "target_roi": ratio_text(plan.target),
        "hindsight_ratio": _rounded(plan.hindsight_ratio),
        "gap": _rounded_gap(plan.gap),
        "ledger_balanced": balanced,
        "seconds": None,  # plans are served together: what one of them took is not known
        "opportunities": sum(day.opportunities for day in plan.days),
        "guarantee_days": {str(status): count for status, count in plan.guarantee_days().items()},
        "delivery_states": dict(plan.states),
        "refused_changes": [{"at": at.isoformat(), "why": why} for at, why in plan.refused],
        "boosts": [boost_json(boost, spend, plan.plan.timezone) for boost, spend in plan.boosts],
        **({"members": splits.as_json(plan.members)} if plan.members else {}),
        "outlooks": [
            {"day": day.isoformat(), **{name: told[name] for name in OUTLOOK}} for day, told in plan.outlooks.items()
        ],
        "days": [_day_json(day) for day in plan.days],
    }


def _day_json(day: PlanDay) -> dict[str, Any]:
    verdict = day.judged.verdict
    return {
        "day": day.day.isoformat(),
        **_figures(day.sums, day.judged.paid),
        "profit": yuan(day.contribution - day.sums.spend),
        "full_domain_gmv": yuan(day.all_sums.gmv),
        "target_roi": ratio_text(verdict.sums.weighted_target),
        "hindsight_ratio": _rounded(_hindsight_ratio([day])),
        "gap": _rounded_gap(gap_shares([day])),
        "calibration": {name: _rounded(value) for name, value in asdict(day.correction).items()}
        if day.correction
        else None,
        "learning": dict(day.learning) | {"explored": yuan(day.learning["explored"])} if day.learning else None,
        "guarantee": {"status": day.judged.status, "reason": verdict.reason},
    }


def _figures(sums: Sums, compensation: Micros) -> dict[str, Any]:
    return {
        "spend": yuan(sums.spend),
        "gmv": yuan(sums.gmv),
        "orders": sums.orders,
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "boosted_spend": yuan(sums.boosted_spend),
        "boosted_gmv": yuan(sums.boosted_gmv),
        "boosted_orders": sums.boosted_orders,
        "boosted_roi": ratio_text(sums.boosted_roi),
        "payment_roi": ratio_text(sums.payment_roi),
        "net_roi": ratio_text(sums.net_roi),
        "settled_roi": ratio_text(sums.settled_roi(closed=True)),
        "overall_roi": ratio_text(sums.overall_roi),
        "refund_rate_1h": ratio_text(sums.refund_rate_1h),
        "compensation": yuan(compensation),
    }


def _weighted_target(days: Sequence[PlanDay]) -> Fraction | None:
    sums = [day.judged.verdict.sums for day in days if day.judged.verdict.sums.promised]
    promised = sum((s.promised for s in sums), Fraction(0))
    return sum(s.gmv for s in sums) / promised if promised else None


def gap_shares(days: Sequence[PlanDay]) -> dict[str, float]:
    """The gap to the hindsight optimum of these days by cause, as shares of it; nothing where it is not known."""
    best = sum(day.best for day in days if day.gap)
    causes = {cause: None for day in days for cause in day.gap}
    return {cause: sum(day.gap.get(cause, 0.0) for day in days) / best for cause in causes if best > 0}


def _rounded_gap(gap: Mapping[str, float]) -> dict[str, str]:
    return {cause: f"{share:.6f}" for cause, share in gap.items()}


def _hindsight_ratio(days: Sequence[PlanDay]) -> float | None:
    best = sum(day.best for day in days)
    return sum(day.reached for day in days) / best if best > 0 else None


def _rounded(share: float | None) -> str | None:
    return None if share is None else f"{share:.6f}"
