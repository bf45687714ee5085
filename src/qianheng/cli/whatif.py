"""`qianheng what-if`: what other targets, budgets and goals would bring a plan, before it is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.output import AsJson, headings, print_json, print_table, whole_file
from qianheng.cli.sources import OfPlan, ShopId, Source, desk_asked, history_asked
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qianheng.actions.whatif import Answer, Wish
    from qianheng.core.interval import Interval
    from qianheng.strategy.whatif import Outlook, Trial

Target: TypeAlias = Annotated[str, typer.Option("--target", metavar="ROI", help=say("whatif.command.target"))]
Budget: TypeAlias = Annotated[str, typer.Option("--budget", metavar="YUAN", help=say("whatif.command.budget"))]
OfGoal: TypeAlias = Annotated[str, typer.Option("--goal", metavar="GOAL", help=say("whatif.command.goal"))]
ForDays: TypeAlias = Annotated[int, typer.Option("--days", metavar="N", help=say("whatif.command.days"))]
WithAim: TypeAlias = Annotated[str, typer.Option("--aim", metavar="AIM", help=say("whatif.command.aim"))]
Html: TypeAlias = Annotated[str, typer.Option("--html", metavar="FILE", help=say("whatif.command.html"))]

COLUMNS = ("target", "budget", "spend", "gmv", "orders", "profit", "roi", "met", "guarantee")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("what-if", help=say("whatif.command.about"))(_whatif)


def _whatif(
    source: Source,
    plan: OfPlan = "",
    target: Target = "",
    budget: Budget = "",
    goal: OfGoal = "",
    days: ForDays = 1,
    aim: WithAim = "profit",
    html: Html = "",
    shop: ShopId = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.whatif import answer_json

    wish = _wish({"target": target, "budget": budget, "goal": goal, "aim": aim}, plan, days)
    answer = _answer(source, shop, wish)
    if html:
        from qianheng.pages.whatif import page

        with whole_file(html) as file:
            file.write(page(answer))
    if as_json:
        print_json(answer_json(answer))
    else:
        print_answer(answer)
    if not answer.asked.feasible:
        raise typer.Exit(1)


def _wish(texts: dict[str, str], plan: str, days: int) -> Wish:
    """What is asked, read; all that cannot be read is told at once."""
    from qianheng.actions.whatif import Wish
    from qianheng.core.errors import BadInput, raise_together
    from qianheng.core.money import decimal, micros
    from qianheng.plans.plan import Goal
    from qianheng.strategy.choice import Aim

    readers = {"target": decimal, "budget": micros, "goal": Goal, "aim": Aim}
    values, faults = dict[str, object](), list[BadInput]()
    for name, text in texts.items():
        try:
            values[name] = readers[name](text) if text else None
        except BadInput as error:
            error.at(f"--{name}")
            faults.append(error)
        except ValueError:
            known = ", ".join(Goal if name == "goal" else Aim)
            faults.append(BadInput("whatif.unknown", place=f"--{name}", value=text, known=known))
    raise_together(faults)
    return Wish(plan, days=days, **values)  # type: ignore[arg-type]  # each was read by its own reader


def _answer(source: Source, shop: str, wish: Wish) -> Answer:
    from qianheng.actions.histories import Asked, history_of
    from qianheng.actions.landscapes import DAYS
    from qianheng.actions.whatif import whatif_of_reports, whatif_of_run

    if source.reports:
        return whatif_of_reports(history_asked(source, Asked(shop, DAYS["reports"] + 1)), wish)
    with desk_asked(source) as desk:
        return whatif_of_run(desk, history_of(desk, Asked(shop)), wish)


def print_answer(answer: Answer) -> None:
    """The answer for a person: what was asked beside what is set, the frontier, the verdict and the suggestion."""
    from qianheng.actions.whatif import remarks

    goal = say(f"pages.goal.{answer.setting.goal}")
    told = {"plan": answer.plan.subject.name or answer.plan.subject.id, "goal": goal, "days": answer.asked.trial.days}
    print_outlooks(say("whatif.title", **told), {"now": answer.now, "asked": answer.asked})
    around = [one for one in answer.points if _beside(one.trial, answer.now.trial)]
    print_table(say("whatif.frontier"), headings("whatif", *COLUMNS), [_cells(one) for one in around])
    if len(answer.points) > len(around):
        typer.echo(say("whatif.more", count=len(answer.points) - len(around)))
    for remark in remarks(answer):
        typer.echo(remark)


def _beside(trial: Trial, now: Trial) -> bool:
    """Whether no more than one of target and budget is other than it is set now."""
    return trial.budget == now.budget or now.target is None or trial.target == round(now.target, 2)


def print_outlooks(title: str, named: Mapping[str, Outlook]) -> None:
    """Outlooks by name (`now`, `asked` …), one a line; the same twice once."""
    first = {one: name for name, one in reversed(list(named.items()))}
    rows = [[say(f"whatif.row.{name}"), *_cells(one)] for one, name in reversed(list(first.items()))]
    print_table(title, ["", *headings("whatif", *COLUMNS)], rows)


def _cells(one: Outlook) -> list[str | None]:
    risk = one.guarantee_risk
    return [
        None if one.trial.target is None else f"{one.trial.target:.2f}",
        f"{one.trial.budget / 1e6:,.0f}" + (say("whatif.mark") if one.extrapolated else ""),
        _money(one.spend),
        _money(one.gmv),
        _range(one.orders, 1.0, ".0f"),
        _money(one.profit),
        None if one.roi is None else _range(one.roi, 1.0, ".2f"),
        None if one.chance_of_target is None else f"{one.chance_of_target:.0%}",
        None if risk is None else f"{risk.chance:.0%} · {risk.expected / 1e6:,.2f}",
    ]


def _money(interval: Interval | None) -> str | None:
    return None if interval is None else _range(interval, 1e6, ",.0f")


def _range(interval: Interval, unit: float, form: str) -> str:
    """The expected value with its ends: "300 (250–340)"."""
    low, expected, high = (format(float(end) / unit, form) for end in (interval.low, interval.expected, interval.high))
    return f"{expected} ({low}–{high})"
