"""A finished run read back: what can be summed from its facts, ledger and change logs is not remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection

from qianheng.actions import books, judging, liability, splits
from qianheng.actions.campaign_runs import campaign_runs
from qianheng.actions.earnings import earnings
from qianheng.actions.incrementality import hold_outs, told_of
from qianheng.actions.maturity import Cohort, aged_days, seen_of
from qianheng.actions.pools import shown_of
from qianheng.actions.profit import Sold, goods_of
from qianheng.actions.simulation import RunFolder
from qianheng.actions.summary import PlanDay, PlanHour, PlanRun, Prospect, RunSummary
from qianheng.core.days import HOUR, microseconds, midnight, moment
from qianheng.core.words import language
from qianheng.facts.schema import Channel
from qianheng.ledger.transfers import AccountKind, account
from qianheng.measures.days import Days, date_of
from qianheng.measures.query import (
    Invalid,
    invalid_of,
    plan_day,
    plan_day_invalid,
    plan_day_traffic,
    plan_hour,
    plan_product,
    refund_maturity,
    sums_of,
)
from qianheng.measures.sums import Sums, total
from qianheng.plans.plan import Counting, Plan
from qianheng.prediction.calibration import Correction
from qianheng.store import ledger, plans, runs
from qianheng.store.database import reading


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
            campaigns=campaign_runs(connection, run, days, reader.contributions[True]),
            products=reader.earnings.products,
            shops=reader.earnings.shops,
            shown=shown_of(reader.told.values()),
            liability=liability.history(connection, reader.end),
            added=[found for shop in hold_outs(connection) if (found := told_of(reader.cohort, shop))],
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
        self.invalid = invalid_of(lake.query(connection, plan_day_invalid(days)))
        sold = Sold(lake.query(connection, plan_product(days)), goods_of(run.scenario))
        self.earnings = earnings(connection, lake, run.scenario, days, sold)
        self.contributions = {promoted: sold.contributions(promoted) for promoted in (True, False)}
        self.hours = lake.query(connection, plan_hour(days)).to_pylist()
        self.refunds = lake.query(connection, refund_maturity(days)).to_pylist()
        self.end = now = midnight(days.last + timedelta(days=len(self.told) + 1), days.timezone)
        self.cohort = Cohort(connection, lake, days, now)
        self.seen = aged_days(self.cohort)
        self.judged = {(j.plan_id, j.day): j for j in judging.judge_days(connection, lake, days, now)}

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
            ripening=seen_of(plan.id, self.seen, self.cohort),
            members=splits.read(self.split, plan.id, self.scenario),
            earned=self.earnings.of_plan(plan),
        )

    def _states(self, plan: Plan) -> Mapping[str, int]:
        hours = (hour for told in self.told.values() for hour in told.get("states", ()))
        return Counter(hour[str(plan.id)] for hour in hours if str(plan.id) in hour)  # an arm joins later

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
        traffic = self.traffic.get(key, Sums()) + Sums(invalid_spend=self.invalid.get(key, Invalid()).amount)
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
