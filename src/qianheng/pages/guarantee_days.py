"""The guarantee of one plan as a calendar: each day's verdict at a glance, and everything behind the chosen one."""

from __future__ import annotations

import re
from calendar import Calendar
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from qianheng.actions.policies import policies
from qianheng.actions.promises import unit_id
from qianheng.actions.summary import PlanDay, PlanRun
from qianheng.core.days import moment, zone
from qianheng.core.words import known, say
from qianheng.guarantee.policy import Policy
from qianheng.guarantee.policy_words import rules_in_words
from qianheng.guarantee.reasons import Check, Reason, Status
from qianheng.guarantee.timeline import credit_days
from qianheng.guarantee.verdict import Verdict, answer
from qianheng.ledger.book import StatementLine
from qianheng.pages.parts import UNKNOWN, Cell, Html, count, element, empty, export, join, money, panel, roi, table

ICONS = {
    Status.NONE: "○",
    Status.IN_EFFECT: "●",
    Status.CONFIRMING: "…",
    Status.COMPENSATED: "¥",
    Status.ENDED: "–",
    Status.VOID: "⊘",
}
KEPT = "kept"  # a day that ended because its promise was kept, shown apart from other days without compensation
KEPT_ICON = "✓"
_NUMBER = re.compile(r"\d+(\.\d+)?")


def guarantee_days(run: PlanRun, statement: Sequence[StatementLine]) -> Html:
    """The calendar of a plan's run and the details of each of its days."""
    title, hint = say("pages.guarantee.title"), say("pages.guarantee.hint")
    if not run.days:
        return panel(title, None, empty(say("pages.guarantee.none_paid")))
    chosen = _most_telling(run.days)
    months = sorted({(day.day.year, day.day.month) for day in run.days})
    by_day = {day.day: day for day in run.days}
    calendars = [_month(run, year, month, by_day, chosen) for year, month in months]
    details = [_details(run, day, statement, hidden=day is not chosen) for day in run.days]
    nothing = None if any(day.judged.paid for day in run.days) else empty(say("pages.guarantee.none_paid"))
    left = element("div", *calendars, _key(run.days), nothing, _policy(run), _export(run))
    return panel(title, hint, element("div", left, element("div", *details), class_="guarantee"), class_="wide")


def chips(statuses: Mapping[Status, int]) -> Html:
    """How many days ended in each status, as small labels."""
    return join(
        element("span", f"{ICONS[status]} {say(f'guarantee.status.{status}')} {number}", class_=f"chip {status}")
        for status, number in statuses.items()
    )


def _most_telling(days: Sequence[PlanDay]) -> PlanDay:
    """The day shown first: one that was compensated, else a void one, else the last."""
    for status in (Status.COMPENSATED, Status.VOID):
        for day in days:
            if day.judged.status is status:
                return day
    return days[-1]


def _month(run: PlanRun, year: int, month: int, by_day: Mapping[date, PlanDay], chosen: PlanDay) -> Html:
    weeks = [
        [by_day.get(day) if day.month == month else None for day in week]
        for week in Calendar().monthdatescalendar(year, month)
    ]
    head = element("tr", *(element("th", say(f"pages.weekday.{i}"), scope="col") for i in range(7)))
    rows = [
        element("tr", *(element("td", _day(run, day, day is chosen) if day else None) for day in week))
        for week in weeks
        if any(week)
    ]
    caption = element("caption", f"{year}-{month:02d}")
    return element("table", caption, element("thead", head), element("tbody", *rows), class_="calendar")


def _day(run: PlanRun, day: PlanDay, chosen: bool) -> Html:
    sums, (icon, kind, words) = day.judged.verdict.sums, _look(day)
    return element(
        "button",
        element("span", str(day.day.day), class_="number"),
        element("span", icon, class_="icon", aria_hidden="true"),
        element("span", roi(sums.actual_roi), class_="roi"),
        element("span", f"/ {roi(sums.weighted_target)}", class_="limit"),
        type="button",
        class_=f"day {kind}",
        title=f"{day.day}: {words}",
        aria_label=f"{day.day}: {words}; {roi(sums.actual_roi)} / {roi(sums.weighted_target)}",
        aria_pressed=str(chosen).lower(),
        aria_controls=_identity(run, day),
    )


def _look(day: PlanDay) -> tuple[str, str, str]:
    return look(day.judged.status, day.judged.verdict.reason)


def look(status: Status, reason: Reason | None) -> tuple[str, str, str]:
    """The icon, the class and the words of a day's outcome; the icon tells it without colour too."""
    if status is Status.ENDED and reason is Reason.ROI_MET:
        return KEPT_ICON, KEPT, say("pages.guarantee.kept")
    return ICONS[status], str(status), say(f"guarantee.status.{status}")


def _key(days: Sequence[PlanDay]) -> Html:
    """What the icons mean, those that occur."""
    looks = dict.fromkeys(_look(day) for day in days)
    return element("p", *(element("span", f"{i} {words}", class_=f"chip {kind}") for i, kind, words in looks))


def _policy(run: PlanRun) -> Html:
    """The plan's policy, each rule in words, for whoever opens it; every version that judged one of its days."""
    parts = []
    for policy in _versions(run):
        rules = (element("li", rule) for rule in rules_in_words(policy))
        summary = element("summary", say("pages.guarantee.policy", policy=run.plan.policy))
        parts.append(element("details", summary, element("ul", *rules)))
    return join(parts)


def _versions(run: PlanRun) -> list[Policy]:
    kept = policies()
    versions = {kept.in_force(run.plan.policy, day.day).version: day.day for day in run.days}
    return [kept.in_force(run.plan.policy, day) for day in versions.values()]


def _identity(run: PlanRun, day: PlanDay) -> str:
    return f"plan-{run.plan.id}-{day.day}"


def _details(run: PlanRun, day: PlanDay, statement: Sequence[StatementLine], hidden: bool) -> Html:
    icon, kind, words = _look(day)
    weekday = say(f"pages.weekday.{day.day.weekday()}")
    heading = element(
        "h4",
        say("pages.guarantee.day", day=day.day, weekday=weekday),
        " ",
        element("span", f"{icon} {words}", class_=f"chip {kind}"),
    )
    told = (_sentence(run, day.judged.verdict), *_dates(day), *_paid(run, day, statement))
    lines = [element("p", text) for text in told]
    return element(
        "div",
        heading,
        *lines,
        _figures(day.judged.verdict),
        _conditions(day.judged.verdict),
        id=_identity(run, day),
        class_="details",
        hidden=hidden,
    )


def _sentence(run: PlanRun, verdict: Verdict) -> str:
    """The answer in one sentence, the reason in words."""
    reason = say(f"guarantee.reason.{verdict.reason}") if verdict.reason else None
    if verdict.status is Status.VOID:
        return say("guarantee.sentence.void", reason=reason, amount=_plain(verdict.forgone))
    if reason:
        return say("guarantee.sentence.nothing", reason=reason)
    amount = _plain(verdict.compensation)
    if verdict.final or verdict.judged_at is None:
        return say("guarantee.sentence.due", amount=amount)
    judged_at = moment(verdict.judged_at, run.plan.timezone)
    return say("guarantee.sentence.provisional", amount=amount, judged_at=f"{judged_at:%Y-%m-%d %H:%M}")


def _dates(day: PlanDay) -> list[str]:
    """When the day is judged, and the working days on which it is paid if anything is due."""
    unit, rules, judged_at = day.judged.unit, day.judged.policy.rules, day.judged.verdict.judged_at
    if rules is None or judged_at is None:
        return []
    first, last = credit_days(rules, unit, judged_at)
    told = [say("pages.guarantee.judged_on", day=moment(judged_at, unit.timezone).date())]
    return [*told, say("pages.guarantee.pay_on", first=first, last=last)] if day.judged.verdict.compensation else told


def _export(run: PlanRun) -> Html:
    """The calendar as a table to take away."""
    names = ("day", "status", "reason", "spend", "gmv", "orders", "weighted_target", "actual_roi", "compensation")
    columns = [*(say(f"guarantee.column.{name}") for name in names), say("guarantee.column.judged_at")]
    rows = []
    for day in run.days:
        verdict = day.judged.verdict
        told = answer(verdict, run.plan.timezone) | {"day": day.day, "status": _look(day)[2]}
        told["reason"] = say(f"guarantee.reason.{verdict.reason}") if verdict.reason else ""
        rows.append([told[name] for name in (*names, "judged_at")])
    return export(f"guarantee-{run.plan.id}", columns, rows)


def _plain(amount: int | None) -> str:
    return money(amount).replace("¥", "")


def _paid(run: PlanRun, day: PlanDay, statement: Sequence[StatementLine]) -> list[str]:
    """When compensation was paid or taken back, and what of it is still to come."""
    reference = unit_id(run.plan.id, day.day)
    told = [
        say(
            f"pages.guarantee.{'paid' if line.change > 0 else 'taken_back'}",
            amount=money(abs(line.change)),
            day=line.transfer.at.astimezone(zone(run.plan.timezone)).date(),
        )
        for line in statement
        if line.transfer.reference == reference and line.transfer.reason in ("compensation", "correction")
    ]
    if day.judged.promised > 0:
        told.append(say("pages.guarantee.promised", amount=money(day.judged.promised)))
    return told


def _figures(verdict: Verdict) -> Html:
    sums = verdict.sums
    figures = {
        "spend": money(sums.spend),
        "gmv": money(sums.gmv),
        "orders": count(sums.orders),
        "actual_roi": roi(sums.actual_roi),
        "target": roi(sums.weighted_target),
        "expected_spend": money(sums.expected_spend),
    }
    pairs = (
        element("div", element("dt", say(f"pages.figure.{name}")), element("dd", value))
        for name, value in figures.items()
    )
    return element("dl", *pairs, class_="small figures")


def _conditions(verdict: Verdict) -> Html:
    if not verdict.checks:
        return empty(say("pages.guarantee.no_checks"))
    columns: list[Cell] = ["", say("guarantee.column.check")]
    columns += [(say(f"guarantee.column.{name}"), "number") for name in ("value", "limit")]
    title = say("pages.guarantee.checks")
    return join([element("p", title, class_="hint"), table(columns, map(_condition, verdict.checks), title)])


def _condition(check: Check) -> list[Cell]:
    word = say("pages.guarantee.holds" if check.passed else "pages.guarantee.fails")
    mark = element("span", "✓" if check.passed else "✗", title=word, role="img", aria_label=word)
    value, limit = _in_words(check.value), _in_words(check.limit)
    if _short(value) != _short(limit.lstrip("<>≤≥\N{NO-BREAK SPACE}")):
        value, limit = _short(value), _short(limit)
    kind = "good" if check.passed else "bad"
    return [(mark, kind), say(f"guarantee.check.{check.name}"), (value, "number"), (limit, "number")]


def _in_words(text: str | None) -> str:
    """A value or limit of a check as people read it: signs, and goals and bid modes by their names."""
    if text is None:
        return UNKNOWN
    if text.endswith(" x weighted_target"):
        return say("pages.guarantee.weighted", ratio=text.removesuffix(" x weighted_target"))
    for separator in (" | ", ", "):
        text = separator.join(_name(part) for part in text.split(separator))
    return re.sub(r"([<≤≥>]) ", "\\1\N{NO-BREAK SPACE}", text.replace(">=", "≥").replace("<=", "≤"))


def _name(word: str) -> str:
    return next((say(key) for key in (f"pages.goal.{word}", f"pages.bid_mode.{word}") if known(key)), word)


def _short(text: str) -> str:
    """Numbers with at most two decimals, their thousands apart."""
    return _NUMBER.sub(
        lambda found: f"{round(Decimal(found.group()), 2) if found.group(1) else int(found.group()):,}", text
    )


def guarantee_line(runs: Sequence[PlanRun]) -> Fraction:
    """The share of its target below which a plan's ROI brings compensation; the highest of several plans' policies."""
    rules = [policy.rules for run in runs for policy in _versions(run)]
    return max((Fraction(rule.trigger_ratio) for rule in rules if rule), default=Fraction(1))
