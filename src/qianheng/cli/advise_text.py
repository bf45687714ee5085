"""How advice is told to a person: breakeven first, then what matters most; each part with what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import typer

from qianheng.cli.evidence import evidence_name, figure_text, print_evidence
from qianheng.cli.output import headings, money_text, print_table
from qianheng.core.words import known, language, say

if TYPE_CHECKING:
    from qianheng.actions.advising import Advice, Looked
    from qianheng.measures.history import Subject
    from qianheng.strategy.breakeven import Breakeven
    from qianheng.strategy.creators import CreatorAdvice
    from qianheng.strategy.goals import Fired, GoalAdvice
    from qianheng.strategy.promotions import PromotionAdvice, Schedule, Step
    from qianheng.strategy.split import Split, SplitAdvice
    from qianheng.strategy.targets import TargetAdvice, Warned
    from qianheng.strategy.tiers import ProductAdvice, TierAdvice

PRODUCTS_SHOWN = 10


def print_all(looked: Looked, advice: Advice) -> None:
    """Everything on one page, most important first."""
    print_title(looked)
    print_breakevens(looked, advice.breakevens[:1])
    _print_added(looked)
    _heading("target")
    _print_target_lines(advice.targets)
    _heading("goal")
    _print_choice(advice.goal)
    _heading("split")
    _print_split_line(advice.split)
    _heading("promotion")
    print_promotion(looked, advice.promotion)
    if advice.products.products:
        _heading("products")
        _print_products(advice.products)
    if advice.creators.creators:
        _heading("creators")
        print_creators(looked, advice.creators)
    _print_missing(looked, set(_missing(advice)))


def print_title(looked: Looked) -> None:
    """Whose advice this is, of which morning, by what."""
    history = looked.history
    shop, source = history.shop.name or say("advice.no_name"), say(f"advice.source.{history.source}")
    typer.echo(say("advice.title", shop=shop, day=history.today, source=source))


def _print_added(looked: Looked) -> None:
    """How much of what is reported promotion adds, or how many buyers are missing to tell."""
    from qianheng.pages.incrementality import told_lines

    if looked.added is not None:
        typer.echo("\n".join(told_lines(looked.added)))


def print_breakevens(looked: Looked, found: Sequence[Breakeven]) -> None:
    """The ROI that breaks even, of the shop and its products, and where each plan's profit is highest."""
    rows = [
        [
            _name(one.subject),
            figure_text(one.margin, "share"),
            *(figure_text(roi, "ratio") for roi in (one.settled, one.payment, one.net)),
        ]
        for one in found
    ]
    columns = headings("advice", "what", "margin", "settled", "payment", "net")
    print_table(say("advice.heading.breakeven"), columns, rows)
    for one in found:
        if one.hopeless:
            typer.echo(say("advice.hopeless", what=_name(one.subject)))
    for plan_id, plan in looked.history.plans.items() if looked.history.source == "run" else ():
        best = looked.best.get(plan_id)
        if best is None:
            typer.echo(say("advice.best_unknown", plan=_name(plan.subject)))
            continue
        rois = {"roi": f"{float(best.payment_roi):.2f}", "target": f"{float(best.target):.2f}"}
        money = {"profit": money_text(best.profit), "spend": money_text(best.spend)}
        typer.echo(say("advice.best", plan=_name(plan.subject), **rois, **money))


def print_targets(looked: Looked, found: Sequence[TargetAdvice]) -> None:
    """Each plan's target in full: where it stands, every figure weighed, what is warned of, the ladder."""
    if not found:
        typer.echo(say("advice.no_plans"))
    for one in found:
        _print_target_lines([one])
        print_evidence(one.why)
        same = {name: figure_text(roi, "ratio") or "–" for name, roi in one.converted.items()}
        if same:
            typer.echo(say("advice.converted", target=one.suggested, **same))
        if one.ladder:
            rungs = [say("advice.rung", target=rung.target, day=rung.day) for rung in one.ladder]
            typer.echo(say("advice.ladder", rungs=say("actors.list").join(rungs)))
    _print_missing(looked, {name for one in found for name in one.missing})


def _print_target_lines(found: Sequence[TargetAdvice]) -> None:
    if not found:
        typer.echo(say("advice.no_plans"))
        return
    columns = headings("advice", "plan", "goal", "phase", "current", "base", "low", "high", "suggested", "move")
    rows = [
        [
            _name(one.plan),
            say(f"advice.goal.{one.goal}"),
            say(f"advice.phase.{one.phase}"),
            one.current,
            *(figure_text(roi, "ratio") for roi in (one.base, one.low, one.high)),
            one.suggested,
            say(f"advice.move.{one.move}"),
        ]
        for one in found
    ]
    print_table("", columns, rows)
    for one in found:
        if one.judge_on is not None and one.phase == "after_switch":
            typer.echo(say("advice.judge_on", day=one.judge_on))
        for warned in one.warnings:
            typer.echo(f"! {_name(one.plan)}: {_warning(warned)}")


def _warning(warned: Warned) -> str:
    return say(f"advice.warning.{warned.key}", **{name: _told(name, value) for name, value in warned.values})


def _told(name: str, value: object) -> str:
    """A value of a warning: money of what is lost, per cent of shares, ratios."""
    if value is None:
        return "?"
    if name == "lost" and isinstance(value, int):
        return money_text(value)
    if name in ("spent", "share", "over", "float"):
        return f"{float(str(Fraction(str(value)) * 100 // 1)):.0f}%"
    return f"{float(value):.2f}" if isinstance(value, Fraction) else str(value)


def _print_goal(looked: Looked, advice: Advice) -> None:
    found = advice.goal
    _print_choice(found)
    columns = headings("advice", "row", "value", "class", "speaks_for", "source")
    print_table("", columns, [_goal_row(row) for row in found.rows])
    for sign in found.signs:
        value = figure_text(sign.evidence.value, sign.evidence.unit)
        goal = say(f"advice.goal.{sign.speaks_for}")
        typer.echo(say("advice.goal.sign", figure=evidence_name(sign.evidence), value=value, goal=goal))
    for side, signs in found.ask.items():
        told = say("actors.list").join(say(f"advice.ask.{one}") for one in signs)
        typer.echo(say("advice.goal.ask", goal=say(f"advice.goal.{side}"), signs=told))
    _print_missing(looked, set(found.missing))


def _print_choice(found: GoalAdvice) -> None:
    if found.choice is None:
        typer.echo(say("advice.nobody"))
    else:
        goal = say(f"advice.goal.{found.choice}")
        typer.echo(say("advice.goal.advised", goal=goal, payment=found.votes["payment"], net=found.votes["net"]))
    quick = "advice.goal.quick_unknown" if found.quick is None else "advice.goal.quick"
    typer.echo(say(quick, goal=say(f"advice.goal.{found.quick}") if found.quick else ""))
    for one in found.outside:
        told = {"value": figure_text(one.value, one.unit), "limit": figure_text(one.against, one.unit)}
        typer.echo(say("advice.goal.outside", figure=evidence_name(one), **told))
    for key in found.contradictions:
        typer.echo(say(f"advice.contradiction.{key}"))


def _goal_row(row: Fired) -> list[str | None]:
    one = row.evidence
    goal = None if row.speaks_for is None else say(f"advice.goal.{row.speaks_for}")
    return [evidence_name(one), figure_text(one.value, one.unit), _class(row), goal, one.source]


def _class(row: Fired) -> str | None:
    limits = (("≥ ", row.at_least), ("< ", row.below))
    told = [f"{sign}{_limit(row, limit)}" for sign, limit in limits if limit is not None]
    return " ".join(told) or None


def _limit(row: Fired, limit: object) -> str:
    value = Fraction(str(limit))
    return f"{float(value):.0%}" if row.evidence.unit == "share" else f"{float(value):g}"


def _print_split(looked: Looked, advice: Advice) -> None:
    found = advice.split
    _print_split_line(found)
    print_table(
        "", headings("advice", "split", "first", "second", "advised"), [_split_row(one) for one in found.splits]
    )
    weeks = [[_name(one.plan), one.week, say(f"advice.week.{one.key}")] for one in found.weeks]
    if weeks:
        print_table("", headings("advice", "plan", "week", "note"), weeks)
    _print_missing(looked, set(found.missing))


def _print_split_line(found: SplitAdvice) -> None:
    advised = next((one for one in found.splits if one.advised), None)
    if advised is None or found.stage is None:
        typer.echo(say("advice.split.no_stage"))
        return
    payment, net = (_part_text(part.share, part.amount) for part in advised.parts)
    budget_is = say(f"advice.budget_is.{found.budget_is}") if found.budget_is else "?"
    budget = "?" if found.budget is None else money_text(found.budget)
    stage = say(f"advice.stage.{found.stage}")
    told = {"payment": payment, "net": net, "budget": budget, "budget_is": budget_is}
    typer.echo(say("advice.split.advised", age=found.account_age, stage=stage, **told))


def _split_row(one: Split) -> list[str]:
    parts = [_part_text(part.share, part.amount) for part in one.parts]
    return [say(f"advice.split.{one.key}"), *parts, "✓" if one.advised else ""]


def _part_text(share: Fraction, amount: int | None) -> str:
    told = f"{float(share):.0%}"
    return told if amount is None else say("advice.split.part", share=told, amount=money_text(amount))


def print_promotion(looked: Looked, found: PromotionAdvice, days: int = 60) -> None:
    """What is coming, and the changes of each plan around the first of it."""
    if not found.coming:
        typer.echo(say("advice.promotion.none_coming", days=days, last=found.known_to))
        return
    for one in found.coming:
        title = getattr(one.title, language())
        typer.echo(say("advice.promotion.coming", title=title, first=one.first, last=one.last))
    typer.echo(say("advice.promotion.calendar"))
    rows = [_step_row(one, step) for one in found.schedules for step in one.steps]
    if rows:
        print_table("", headings("advice", "plan", "at", "change", "note"), rows)
    for schedule in found.schedules:
        typer.echo(_schedule_line(schedule))


def _schedule_line(one: Schedule) -> str:
    if one.skipped is not None:
        return say(f"advice.promotion.{one.skipped}", plan=_name(one.plan))
    return say("advice.promotion.floor", plan=_name(one.plan), floor=figure_text(one.floor, "ratio"))


def _step_row(schedule: Schedule, step: Step) -> list[str]:
    change = " ".join(f"{name}={value}" for name, value in step.after.items())
    notes = [say(f"advice.promotion.{step.why}")]
    notes += [say("advice.promotion.voids")] if step.voids else []
    notes += [say("advice.promotion.loses", lost=money_text(step.lost_daily))] if step.lost_daily else []
    return [_name(schedule.plan), _minute(step.at), change, "; ".join(notes)]


def _print_tiers(looked: Looked, advice: Advice) -> None:
    found = advice.products
    _print_products(found)
    tiers = dict.fromkeys(one.tier for one in found.products)
    for tier in tiers:
        areas = ("target", "budget", "creative", "live", "marketing")
        told = "; ".join(say(f"advice.tier_{area}.{tier}") for area in areas)
        typer.echo(f"{say(f'advice.tier.{tier}')}: {told}")
    if found.industry is not None:
        typer.echo(say(f"advice.industry_watch.{found.industry}"))
    _print_missing(looked, set(found.missing))


def _print_products(found: TierAdvice) -> None:
    names = ("product", "tier", "share", "growth", "conversion", "target", "budget", "creatives", "live", "note")
    rows = [_product_row(one) for one in found.products[:PRODUCTS_SHOWN]]
    print_table("", headings("advice", *names), rows)
    if found.industry is not None and found.usual_goal is not None:
        industry, goal = say(f"advice.industry.{found.industry}"), say(f"advice.goal.{found.usual_goal}")
        typer.echo(say("advice.tier.by_pack", industry=industry, goal=goal))


def _product_row(one: ProductAdvice) -> list[object]:
    share, growth, _, conversion, _ = (figure_text(told.value, told.unit) for told in one.evidence)
    budget = None if one.budget is None else money_text(one.budget)
    pack = (None, None) if one.pack is None else (one.pack.creatives_weekly, one.pack.live_minutes)
    note = say("advice.tier.below_breakeven") if one.below_breakeven else ""
    return [
        _name(one.product),
        say(f"advice.tier.{one.tier}"),
        share,
        growth,
        conversion,
        one.target,
        budget,
        *pack,
        note,
    ]


def print_creators(looked: Looked, found: CreatorAdvice) -> None:
    """Creators, the one that leaves most first; without any, what is missing."""
    names = ("creator", "orders", "net_gmv", "commission", "left", "spend", "roi")
    rows = [
        [
            one.name,
            one.orders,
            *(money_text(amount) for amount in (one.net_gmv, one.commission_kept, one.left, one.spend)),
            figure_text(one.roi, "ratio"),
        ]
        for one in found.creators
    ]
    print_table("", headings("advice", *names), rows)
    _print_missing(looked, set(found.missing))


PARTS: dict[str, Callable[[Looked, Advice], None]] = {
    "goal": _print_goal,
    "split": _print_split,
    "products": _print_tiers,
    "creators": lambda looked, advice: print_creators(looked, advice.creators),
}


def _missing(advice: Advice) -> Iterable[str]:
    parts = [advice.goal.missing, advice.split.missing, advice.products.missing, advice.breakevens[0].missing]
    parts += [one.missing for one in advice.targets]
    return (name for names in parts for name in names)


def _print_missing(looked: Looked, names: set[str]) -> None:
    """What is not known, each with how to say it, where saying helps: a run's figures come by themselves."""
    from qianheng.actions.shop import SAID

    if not names:
        return
    typer.echo(say("advice.heading.missing"))
    lacking = dict[str, str]()
    for name in sorted(names):
        key = f"histories.to_say.{name}"
        how = say(key) if known(key) and (looked.history.source == "reports" or name in SAID) else ""
        what = say(f"histories.missing.{name}")
        lacking[what] = lacking.get(what) or how
    for what, how in lacking.items():
        typer.echo(say("advice.missing_line" if how else "advice.missing_bare", what=what, how=how))


def _heading(name: str) -> None:
    typer.echo(f"\n{say(f'advice.heading.{name}')}")


def _name(subject: Subject) -> str:
    return subject.name or (subject.id if subject.about != "shop" else say("advice.no_name"))


def _minute(at: datetime | date) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
