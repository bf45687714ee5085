"""The report of a simulated run: one HTML file that a browser opens from disk, with nothing to fetch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from qianheng.actions.frontier import verdict
from qianheng.actions.promises import boost_unit_id, unit_id
from qianheng.actions.summary import PlanRun, RunSummary
from qianheng.core.assignment import SHARES
from qianheng.core.days import SHANGHAI, zone
from qianheng.core.money import ratio_text
from qianheng.core.placements import Placement
from qianheng.core.words import say
from qianheng.guarantee.reasons import Status
from qianheng.ledger.book import StatementLine
from qianheng.ledger.transfers import AccountKind, account
from qianheng.measures.metrics import metrics
from qianheng.measures.sums import Sums
from qianheng.pages.campaigns import campaigns_section
from qianheng.pages.charts import draw, plan_charts, refund_chart
from qianheng.pages.earnings import earnings_section
from qianheng.pages.guarantee_days import chips, guarantee_days, guarantee_line
from qianheng.pages.incrementality import added_section
from qianheng.pages.liability import liability_section
from qianheng.pages.parts import (
    UNKNOWN,
    Cell,
    Html,
    count,
    element,
    empty,
    join,
    listed,
    money,
    panel,
    percent,
    roi,
    section,
    table,
)
from qianheng.pages.pools import pools_section
from qianheng.pages.shell import whole_main, whole_page
from qianheng.plans.plan import Counting, Goal, Plan, Value
from qianheng.plans.users import user_share

MET, NEAR, MISSED = ("✓", "good"), ("▽", "near"), ("✕", "bad")
MEANINGS = (
    "payment_roi",
    "net_roi",
    "settled_roi",
    "overall_roi",
    "profit",
    "target",
    "hindsight",
    "guarantee_days",
    "multiplier",
    "calibration",
    "margin",
)


def render(summary: RunSummary) -> str:
    """The report of a run as one self-contained HTML page in the language spoken."""
    sections = [
        _overview(summary),
        *(_plan(run, summary) for run in summary.plans),
        earnings_section(summary),
        campaigns_section(summary.campaigns),
        pools_section(summary.shown),
        added_section(summary),
        liability_section(summary),
        section("money", say("pages.money"), _statement(summary)),
        _reading(),
    ]
    title = f"{summary.title} · {say('pages.report')}"
    return whole_page(title, _header(summary), _contents(summary), whole_main(*sections))


def _header(summary: RunSummary) -> Html:
    last = summary.first_day + timedelta(days=summary.days - 1)
    told = {
        "dates": f"{summary.first_day} – {last}",
        "seed": str(summary.seed),
        "opportunities": count(summary.opportunities),
        "seconds": say("pages.seconds_value", seconds=f"{summary.seconds:.1f}"),
    }
    pairs = _pairs((say(f"pages.{name}"), value) for name, value in told.items())
    brand = element("p", f"Qianheng 千衡 · {say('pages.report')}", class_="brand")
    return element("header", brand, element("h1", summary.title), element("dl", *pairs, class_="facts"))


def _contents(summary: RunSummary) -> Html:
    links = {
        "overview": say("pages.overview"),
        **{_identity(run): run.plan.name for run in summary.plans},
        "earnings": say("earnings.title"),
        **({"campaigns": say("pages.campaigns.title")} if summary.campaigns else {}),
        **({"pools": say("pages.pools.title")} if summary.shown else {}),
        **({"added": say("incrementality.kind")} if summary.added else {}),
        "liability": say("liability.page.title"),
        "money": say("pages.money"),
        "reading": say("pages.reading"),
    }
    return element(
        "nav",
        *(element("a", text, href=f"#{identity}") for identity, text in links.items()),
        aria_label=say("pages.contents"),
    )


def _overview(summary: RunSummary) -> Html:
    total = element(
        "article",
        _card_title(say("pages.total_campaigns" if summary.campaigns else "pages.total"), say("pages.total_about")),
        *_figures(summary, guarantee_line(summary.plans), None),
        _guarantee(_guarantee_days(summary.plans), summary),
        element("dl", *_pairs(_balance(summary)), class_="small"),
        class_="card total",
    )
    cards = [_card(run) for run in summary.plans] or [empty(say("pages.no_plans"))]
    grid = element("div", total, *cards, class_="cards")
    refunds = element("div", draw(refund_chart(summary)), class_="panels")
    return section("overview", say("pages.overview"), grid, refunds)


def _card(run: PlanRun) -> Html:
    heading = element("a", run.plan.name, href=f"#{_identity(run)}")
    return element(
        "article",
        _card_title(heading, _settings(run.plan)),
        *_figures(run, guarantee_line([run]), run.plan.goal),
        _guarantee(run.guarantee_days(), run),
        class_="card",
    )


def _card_title(title: str, about: str) -> Html:
    return join([element("h3", title), element("p", about, class_="hint")])


def _figures(run: PlanRun | RunSummary, line: Fraction, goal: str | None) -> Iterable[Html]:
    """The figures of a card: what it came to, the three ROIs against the target, and how well it was bought."""
    sums = run.sums
    large = {"spend": money(sums.spend), "gmv": money(sums.gmv), "orders": count(sums.orders)}
    yield element("dl", *_named(large), class_="large")
    rois = {"payment": sums.payment_roi, "net": sums.net_roi, "settled": sums.settled_roi(closed=True)}
    if goal in (Goal.OVERALL, Goal.PROFIT):
        rois["overall"] = sums.overall_roi
    boxes = (_against(kind, value, (run.target, line), kind == goal) for kind, value in rois.items())
    yield element("dl", *boxes, class_="rois")
    small = {
        "target": roi(run.target),
        "profit": money(run.profit),
        "refund_rate_1h": percent(sums.refund_rate_1h),
        "hindsight": percent(run.hindsight_ratio),
        **_full_domain(run),
        **_boosted(sums),
        **_correction(run),
        **_learning(run),
    }
    yield element("dl", *_named(small), class_="small")


def _full_domain(run: PlanRun | RunSummary) -> dict[str, str]:
    """What all orders came to, beside a plan that counts the attributed ones only."""
    if isinstance(run, RunSummary) or run.plan.counting is Counting.ALL:
        return {}
    return {"full_domain_gmv": money(sum((day.all_sums for day in run.days), Sums()).gmv)}


def _boosted(sums: Sums) -> dict[str, str]:
    """What boosts spent and brought of it, where there were any."""
    if not sums.boosted_spend:
        return {}
    return {
        "boosted_spend": money(sums.boosted_spend),
        "boosted_gmv": money(sums.boosted_gmv),
        "boosted_roi": roi(sums.boosted_roi),
    }


def _correction(run: PlanRun | RunSummary) -> dict[str, str]:
    """How a plan's predictions are corrected, how sure that is, and what is taken off until it is surer."""
    made = None if isinstance(run, RunSummary) else run.correction
    if made is None:
        return {}
    error, margin = (percent(Fraction(share).limit_denominator(10_000)) for share in (made.error, made.margin))
    return {"calibration": f"{made.factor:.2f} ± {error}", "margin": margin}


def _learning(run: PlanRun | RunSummary) -> dict[str, str]:
    """How far a plan's learning was in the end, and why no further; what exploring has spent."""
    told = None if isinstance(run, RunSummary) or not run.days else run.days[-1].learning
    if told is None:
        return {}
    why = f" ({say('pages.learning.' + told['obstacle'])})" if told["obstacle"] else ""
    phase = say("pages.learning." + told["phase"]) + why
    return {"learning": phase} | ({"explored": money(told["explored"])} if told["explored"] else {})


def _against(kind: str, value: Fraction | None, aim: tuple[Fraction | None, Fraction], is_goal: bool) -> Html:
    """An ROI, with icon and colour for how it stands against its target, and the line below which it is compensated."""
    target, line = aim
    title = say(f"pages.figure.{kind}_roi")
    badge = element("span", say("pages.against.goal"), class_="badge") if is_goal else None
    if value is None or not target:
        return element("div", element("dt", title, badge), element("dd", roi(value)))
    share = value / target
    icon, look = MET if share >= 1 else NEAR if share >= line else MISSED
    words = say("pages.against.met", share=percent(share, 0))
    mark = element("span", icon, class_="icon", aria_hidden="true")
    figure = element("dd", mark, roi(value), element("small", words))
    return element("div", element("dt", title, badge), figure, class_=f"{look} goal" if is_goal else look)


def _guarantee(statuses: dict[Status, int], run: PlanRun | RunSummary) -> Html:
    pairs = [(say("pages.figure.guarantee_days"), chips(statuses) if statuses else UNKNOWN)]
    pairs.append((say("pages.figure.compensation"), money(run.compensation)))
    return element("dl", *_pairs(pairs), class_="small wide-first")


def _guarantee_days(runs: Sequence[PlanRun]) -> dict[Status, int]:
    each = [run.guarantee_days() for run in runs]
    return {status: sum(days.get(status, 0) for days in each) for status in Status if any(status in d for d in each)}


def _balance(summary: RunSummary) -> list[tuple[str, str]]:
    held = [(say(f"pages.figure.{name}"), money(amount)) for name, amount in summary.funds._asdict().items()]
    state = say("pages.ledger.balanced" if summary.balanced else "pages.ledger.unbalanced")
    icon, look = MET if summary.balanced else MISSED
    return [*held, (say("pages.figure.ledger"), element("span", f"{icon} {state}", class_=look))]


def _plan(run: PlanRun, summary: RunSummary) -> Html:
    drawn = [draw(chart) for chart in plan_charts(run)]
    about = element("p", _settings(run.plan), *([" · ", verdict(run.outlook)] if run.outlook else []), class_="about")
    hours = (say("pages.state_hours", state=say(f"pages.state.{name}"), hours=n) for name, n in run.states.items())
    states = element("p", listed(hours) or UNKNOWN, class_="about")
    body = element("div", *drawn, _change_log(run), guarantee_days(run, summary.statement), class_="panels")
    return section(_identity(run), run.plan.name, about, states, body)


def _settings(plan: Plan) -> str:
    return say(
        "pages.plan_about",
        kind=say(f"pages.kind.{plan.kind}"),
        goal=say(f"pages.goal.{plan.goal}"),
        target=_target(plan),
        budget=money(plan.budget_daily),
        counting=say(f"pages.counting.{plan.counting}"),
        policy=plan.policy,
    )


def _target(plan: Plan) -> str:
    """The target and, where the ROI may float, how far down."""
    target, least = (ratio_text(None if one is None else Fraction(one)) for one in (plan.target, plan.least_roi))
    return (say("pages.may_float", target=target, least=least) if plan.roi_float else target) or UNKNOWN


def _change_log(run: PlanRun) -> Html:
    title = say("pages.log.title")
    if not run.log and not run.refused:
        return panel(title, None, empty(say("pages.log.empty")))
    columns = [say(f"pages.log.{name}") for name in ("at", "actor", "field", "before", "after", "reason")]
    shown = zone(run.plan.timezone)
    rows = [
        [_time(made.at, shown), made.actor, say(f"pages.field.{name}"), old, new, made.reason or UNKNOWN]
        for made in run.log
        for name, old, new in _changed(made.before, made.after)
    ]
    refused = say("pages.log.refused")
    rows += [[_time(at, shown), UNKNOWN, refused, UNKNOWN, UNKNOWN, why] for at, why in run.refused]
    return panel(title, say("pages.log.hint"), table(columns, rows, title))


def _changed(before: Iterable[tuple[str, Value]], after: Iterable[tuple[str, Value]]) -> Iterable[tuple[str, str, str]]:
    for (name, old), (_, new) in zip(before, after, strict=True):
        yield name, _value(name, old), _value(name, new)


def _value(name: str, value: Any) -> str:
    """The value of a plan's field as people read it."""
    if value is None:
        return UNKNOWN
    if name in ("budget_daily", "budget_weekly", "budget_total"):
        return money(int(value))
    if name == "users":
        share = user_share(tuple(value))
        return say("pages.all") if share is None else percent(Fraction(share.size, SHARES), 0)
    if name in ("product_ids", "schedule"):
        return listed(str(one) for one in value) or say("pages.all")
    if name == "placements":
        return listed(say(f"pages.placement.{Placement(place).name.lower()}") for place in value) or say("pages.all")
    groups = {"goal": "goal", "bid_mode": "bid_mode", "status": "plan_status", "pace": "pace", "roi_float": "switch"}
    return say(f"pages.{groups[name]}.{str(value).lower()}") if name in groups else str(value)


def _statement(summary: RunSummary) -> Html:
    hint = element("p", say("pages.statement.hint"), class_="hint")
    if not summary.statement:
        return empty(say("pages.statement.empty"))
    columns: list[Cell] = [say(f"pages.statement.{name}") for name in ("at", "account", "what", "about")]
    columns += [(say(f"pages.statement.{name}"), "number") for name in ("change", "balance")]
    about = _references(summary)
    zone_shown = zone(summary.plans[0].plan.timezone if summary.plans else SHANGHAI)
    kinds = _accounts(summary.plans)
    rows = [
        [_time(line.transfer.at, zone_shown), _account(line, kinds), *_movement(line, about)]
        for line in summary.statement
    ]
    return join([hint, element("div", table(columns, rows, say("pages.money")), class_="statement")])


def _account(line: StatementLine, kinds: dict[int, AccountKind]) -> str:
    mine = line.transfer.credit if line.change > 0 else line.transfer.debit
    return say(f"pages.account.{kinds[mine]}") if mine in kinds else UNKNOWN


def _movement(line: StatementLine, about: dict[int, str]) -> list[Cell]:
    """What a line of the statement moved, for what, how much and what was there afterwards."""
    sign, look = ("+", "number good") if line.change > 0 else ("", "number")
    return [
        say(f"pages.transfer.{line.transfer.reason}"),
        about.get(line.transfer.reference, UNKNOWN),
        (sign + money(line.change), look),
        (money(line.balance), "number"),
    ]


def _references(summary: RunSummary) -> dict[int, str]:
    """What a transfer is about: the spend of a plan, its boosts or a campaign, or a plan's guarantee on a day."""
    runs = summary.plans
    names = {run.plan.id: run.plan.name for run in runs}
    names |= {boost.id: run.plan.name for run in runs for boost, _ in run.boosts}
    names |= {run.campaign.id: run.campaign.name for run in summary.campaigns}
    units = {unit_id(run.plan.id, day.day): f"{run.plan.name} {day.day:%m-%d}" for run in runs for day in run.days}
    units |= {boost_unit_id(boost.id): run.plan.name for run in runs for boost, _ in run.boosts}
    return names | units


def _accounts(runs: Sequence[PlanRun]) -> dict[int, AccountKind]:
    """The kinds of the accounts that statements are about, by account id."""
    owners = {run.plan.ad_account_id for run in runs}
    kinds = (AccountKind.CASH, AccountKind.CREDIT)
    return {account(kind, owner).id: kind for kind in kinds for owner in owners}


def _reading() -> Html:
    meanings = ((say(f"pages.figure.{name}"), _meaning(name)) for name in MEANINGS)
    return section("reading", say("pages.reading"), element("dl", *_pairs(meanings), class_="meanings"))


def _meaning(name: str) -> str:
    return metrics()[name].meaning if name in metrics() else say(f"pages.meaning.{name}")


def _named(figures: dict[str, str]) -> Iterable[Html]:
    return _pairs((say(f"pages.figure.{name}"), value) for name, value in figures.items())


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterable[Html]:
    return (element("div", element("dt", name), element("dd", value)) for name, value in pairs)


def _identity(run: PlanRun) -> str:
    return f"plan-{run.plan.id}"


def _time(at: datetime, shown: tzinfo) -> str:
    return f"{at.astimezone(shown):%Y-%m-%d %H:%M}"
