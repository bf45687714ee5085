"""Does an audit of exported files owe what the guarantee itself owes, to the fen?

`python -m benchmarks.audit [RUN...] [--months N]`: kept runs are exported, imported elsewhere and audited beside the
verdicts on their facts; N months made by chance (edits, pauses, goal switches, boosts, late refunds, flagged orders)
beside the verdicts on their cases. Nothing is tuned on either.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from qianheng.actions.auditing import Asked, Audit, audit_reports
from qianheng.actions.desk import desk_of
from qianheng.actions.judging import judge_days
from qianheng.actions.policies import policies
from qianheng.actions.report_exports import export_reports
from qianheng.actions.reports import Importing, import_files
from qianheng.core.days import HOUR, MINUTE, SECOND, SHANGHAI, microseconds, midnight
from qianheng.core.money import FEN, YUAN, yuan
from qianheng.guarantee.case import Case, Charge, Event, Log, Order, PlanEvent, Refund, Target, Unit
from qianheng.guarantee.verdict import evaluate
from qianheng.measures.days import Days
from qianheng.measures.reports import Figures
from qianheng.plans.entries import LogField
from qianheng.plans.plan import Goal, PlanKind
from qianheng.store import plans, runs
from qianheng.store.database import connect, default_url, migrate, reading
from qianheng.vendors.change_log import wording
from qianheng.vendors.records import RecordKind
from qianheng.vendors.writing import Style, gbk, record_rows, report_rows

RESULTS = Path(__file__).parent / "results" / "audit.json"
FIRST, DAYS = date(2026, 9, 1), 28
KINDS = {"seed": "product", "qianchuan-product": "product", "qianchuan-live": "live", "tiktok-gmv-max": "product"}
KINDS |= {"shopee-gmv-max": "product"}
DELAYS = (20 * SECOND, MINUTE, 61 * SECOND, 30 * MINUTE, HOUR, HOUR + SECOND, 72 * HOUR)
BOOSTS = {None: "", "plan": "一键起量", "creative": "素材追投"}
Due = Mapping[tuple[str, date], int]


@dataclass(frozen=True, slots=True)
class Month:
    """A plan's month made by chance: its policy, what was done to it, what was charged and sold."""

    plan_id: str
    policy: str
    log: Log
    charges: tuple[Charge, ...]
    orders: tuple[Order, ...]

    def case(self, day: date, now: int) -> Case:
        """The case of one of its days."""
        unit = Unit(self.plan_id, day, PlanKind(KINDS[self.policy]))
        return Case(self.policy, unit, self.log, self.charges, self.orders, now)


@dataclass(frozen=True, slots=True)
class Compared:
    """How an audit compares: plan-days, those with something due, what verdicts and audit owe, days that differ."""

    name: str
    plan_days: int
    with_due: int
    due: int
    audited: int
    different: int
    uncertain: int


def made_month(seed: int) -> Month:
    """A month of a plan by chance, the same for the same seed."""
    rng = random.Random(seed)
    policy = sorted(KINDS)[seed % len(KINDS)]
    starts = [microseconds(midnight(FIRST + timedelta(days=i), SHANGHAI)) for i in range(DAYS)]
    charges, orders = [], []
    for day, start in enumerate(starts):
        for i in range(rng.randrange(8)):
            boost = rng.choice((None, None, None, "plan", "creative")) if day % 3 == 0 else None
            charges.append(
                Charge(f"{seed}c{day}-{i}", start + rng.randrange(24 * HOUR), rng.randrange(200 * YUAN), boost)
            )
        orders += [_order(rng, f"{seed}{day:02d}{i:03d}", start) for i in range(rng.randrange(26))]
    return Month(f"77{seed:04d}", policy, _log(rng, starts), tuple(charges), tuple(orders))


def _order(rng: random.Random, name: str, start: int) -> Order:
    at = start + rng.randrange(24 * 3600) * SECOND
    amount = rng.randrange(1, 20_000) * FEN
    refunds = []
    if rng.random() < 0.4:
        part = amount if rng.random() < 0.6 else rng.randrange(0, amount // FEN) * FEN
        refunds.append(Refund(f"9{name}", at + rng.choice(DELAYS), part))
    boost = rng.choice(("plan", "creative")) if rng.random() < 0.1 else None
    return Order(f"8{name}", at, amount, boost, rng.random() < 0.05, tuple(refunds))


def _log(rng: random.Random, starts: Sequence[int]) -> Log:
    """First settings on the first day, then on half of the days up to three edits, some of them close together."""
    goal, value = rng.choice((Goal.PAYMENT, Goal.NET)), Fraction(rng.randrange(100, 900), 100)
    targets, events = [Target(starts[0], goal, value)], list[PlanEvent]()
    for start in starts[1:]:
        at = start + rng.randrange(20 * 60) * MINUTE
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3))):
            at += rng.choice((10, 30, 59, 60, 61)) * MINUTE
            if rng.random() < 0.25:
                goal = Goal.NET if goal is Goal.PAYMENT else Goal.PAYMENT
            else:
                value = Fraction(rng.randrange(100, 900), 100)
            targets.append(Target(at, goal, value))
        if rng.random() < 0.08:
            events += [PlanEvent(at + HOUR, Event.PAUSE), PlanEvent(at + HOUR + 90 * MINUTE, Event.RESUME)]
    return Log(tuple(targets), tuple(events))


def write_months(months: Sequence[Month], folder: Path) -> None:
    """The months as the files a merchant would hold."""
    style = Style(SHANGHAI)
    period = f"{FIRST} 00_00_00-{FIRST + timedelta(days=DAYS - 1)} 23_59_59"
    made = {
        "计划": report_rows("plan", [line for month in months for line in _rows(month)], style),
        "操作日志": record_rows(RecordKind.CHANGE_LOG, [line for month in months for line in _entries(month)], style),
        "订单": record_rows(RecordKind.ORDERS, [line for month in months for line in _orders(month)], style),
        "售后": record_rows(RecordKind.REFUNDS, [line for month in months for line in _refunds(month)], style),
    }
    for name, rows in made.items():
        (folder / f"{name}_{period}.csv").write_bytes(gbk(rows))


def _rows(month: Month) -> Iterator[tuple[dict[str, object], Figures]]:
    for i in range(DAYS):
        day = FIRST + timedelta(days=i)
        since, until = Unit(month.plan_id, day).window
        charges = [one for one in month.charges if since <= one.at < until]
        sold = [one for one in month.orders if since <= one.at < until]
        soon = [sum(back.amount for back in one.refunds if back.at - one.at <= HOUR) for one in sold]
        spend, boosted = (sum(one.amount for one in some) for some in (charges, [one for one in charges if one.boost]))
        gmv = sum(one.amount for one in sold)
        yield (
            {"plan_id": month.plan_id, "plan_name": month.policy, "day": day},
            Figures(
                spend=spend,
                base_spend=spend - boosted,
                boosted_spend=boosted,
                orders=len(sold),
                gmv=gmv,
                net_orders=sum(back < one.amount for one, back in zip(sold, soon, strict=True)),
                net_gmv=gmv - sum(soon),
                refunded_orders_1h=sum(back > 0 for back in soon),
                refunded_1h=sum(soon),
            ),
        )


def _entries(month: Month) -> Iterator[dict[str, object]]:
    words, before = wording(), None
    for number, one in enumerate(month.log.targets):
        about = {"log_id": f"{month.plan_id}-{number}", "at": one.at, "plan_id": month.plan_id}
        goal, target = words.name_of(LogField.GOAL), words.name_of(LogField.TARGET, Goal(one.goal))
        if before is None or before.goal is not one.goal:
            yield about | {"title": goal, "after": words.word_of(LogField.GOAL, one.goal)}
        value = f"{float(one.value or 0):.2f}"
        yield about | {"title": target, "before": f"{float(before.value or 0):.2f}" if before else "", "after": value}
        before = one
    status = {Event.PAUSE: "paused", Event.RESUME: "active"}
    for event in month.log.events:
        word = words.word_of(LogField.STATUS, status[event.type])
        yield {"at": event.at, "plan_id": month.plan_id, "title": words.name_of(LogField.STATUS), "after": word}


def _orders(month: Month) -> Iterator[dict[str, object]]:
    for one in month.orders:
        about = {"order_id": one.id, "item_id": one.id, "paid_at": one.at, "submitted_at": one.at, "paid": one.amount}
        yield about | {
            "plan_id": month.plan_id,
            "boost": BOOSTS[one.boost],
            "abnormal": one.flagged,
            "content": "商品卡",
        }


def _refunds(month: Month) -> Iterator[dict[str, object]]:
    for one in month.orders:
        for back in one.refunds:
            told = {"refund_id": back.id, "order_id": one.id, "item_id": one.id, "paid": back.amount}
            yield told | {"status": "同意退款，退款成功", "refunded_at": back.at}


def due_of_months(months: Iterable[Month], now: int) -> Due:
    """What the verdict on each of their days owes."""
    shelf = policies()
    due = {}
    for month in months:
        for i in range(DAYS):
            day = FIRST + timedelta(days=i)
            due[month.plan_id, day] = evaluate(shelf.in_force(month.policy, day), month.case(day, now)).compensation
    return due


def compare_months(count: int, shift: int = 0) -> Compared:
    """Months made by chance, written, imported and audited, beside the verdicts on their cases."""
    months, now = [made_month(seed + shift) for seed in range(count)], datetime(2026, 11, 1, tzinfo=UTC)
    due = due_of_months(months, microseconds(now))
    with TemporaryDirectory() as folder:
        write_months(months, Path(folder))
        stated = {month.plan_id: (KINDS[month.policy], month.policy) for month in months}
        found = audited(Path(folder), stated, now)
    return compared(f"{count} months", due, found)


def compare_run(run: str) -> Compared:
    """A kept run, exported, imported elsewhere and audited, beside the verdicts on its facts."""
    with TemporaryDirectory() as folder:
        with desk_of(run) as desk, reading(desk.database) as connection:
            lived = runs.span(connection)
            mine = [one.plan for one in plans.logged(connection) if desk.actor.sees(one.plan.shop_id)]
            days = Days(lived.first, lived.next_day - timedelta(days=1), mine[0].timezone)
            seen = {plan.id for plan in mine}
            judged = judge_days(connection, desk.lake, days, desk.now)
            due = {(str(one.plan_id), one.day): one.verdict.compensation for one in judged if one.plan_id in seen}
            export_reports(desk, Path(folder))
            now = desk.now
        stated = {str(plan.id): (plan.kind.value, plan.policy) for plan in mine}
        found = audited(Path(folder), stated, now)
    told = {(one.audited.unit.plan_id, one.audited.unit.day) for one in found.days}
    return compared(run, {of: amount for of, amount in due.items() if amount or of in told}, found)


def audited(folder: Path, stated: Mapping[str, tuple[str, str]], now: datetime) -> Audit:
    """The files of a folder imported into a home of their own and audited there; stated: plan → kind and policy."""
    with _home() as home:
        lines = [f'[plans."{plan}"]\nkind = "{kind}"\npolicy = "{policy}"\n' for plan, (kind, policy) in stated.items()]
        (home / "shop.toml").write_text("".join(lines), encoding="utf-8")
        engine = connect(default_url())
        migrate(engine)
        outcome = import_files(engine, [str(folder)], Importing(now))
        assert not outcome.exit_code, [file.error or file.export.rejected for file in outcome.files if file.export]
        found = audit_reports(engine, Asked(now))
        engine.dispose()
        return found


@contextmanager
def _home() -> Iterator[Path]:
    before = os.environ.get("QIANHENG_HOME")
    with TemporaryDirectory() as home:
        os.environ["QIANHENG_HOME"] = home
        try:
            yield Path(home)
        finally:
            os.environ.pop("QIANHENG_HOME")
            if before is not None:
                os.environ["QIANHENG_HOME"] = before


def compared(name: str, due: Due, found: Audit) -> Compared:
    """The audit's answers beside what was due."""
    told = {(one.audited.unit.plan_id, one.audited.unit.day): one.audited for one in found.days}
    empty = {of: None for of in due if of not in told}
    different = sum(amount != (told[of].most if of in told else 0) for of, amount in due.items())
    return Compared(
        name=name,
        plan_days=len(due),
        with_due=sum(amount > 0 for amount in due.values()),
        due=sum(due.values()),
        audited=sum(one.most or 0 for one in told.values()),
        different=different,
        uncertain=len(empty) + sum(one.least != one.most for one in told.values()),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--months", type=int, default=60)
    parser.add_argument("--json", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    rows = [compare_run(run) for run in asked.runs]
    rows += [compare_months(asked.months)] if asked.months else []
    print("| history | plan-days | with compensation | due 元 | audited 元 | days that differ | not certain |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        sums = f"{yuan(row.due)} | {yuan(row.audited)} | {row.different} | {row.uncertain}"
        print(f"| {row.name} | {row.plan_days} | {row.with_due} | {sums} |")
    money = ("due", "audited")
    told = [{**asdict(row), **{name: yuan(getattr(row, name)) for name in money}} for row in rows]
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
