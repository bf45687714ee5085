"""`qianheng explain`: why a run bid as it did on an opportunity, on a day, in an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli import yuan
from qianheng.cli.options import App, As, RunName
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.core.plain import Json

Id: TypeAlias = Annotated[int, typer.Argument(metavar="ID", help=say("explain.command.id"))]
PlanId: TypeAlias = Annotated[int, typer.Option("--plan", metavar="ID", help=say("explain.command.plan"))]
Day: TypeAlias = Annotated[str, typer.Option("--day", metavar="DAY", help=say("explain.command.day_of"))]
At: TypeAlias = Annotated[str, typer.Option("--at", metavar="TIME", help=say("explain.command.at"))]

CANDIDATE = ("plan", "product_id", "predicted", "share", "factor", "worth", "multiplier", "bid", "prices", "slot")


def build_app() -> typer.Typer:
    """The commands that explain a run."""
    app = App(say("explain.command.about"), no_args_is_help=True)
    app.command("opportunity", help=say("explain.command.opportunity"))(_opportunity)
    app.command("day", help=say("explain.command.day"))(_day)
    app.command("hour", help=say("explain.command.hour"))(_hour)
    yuan.add_to(app)
    return app


def _opportunity(id_: Id, run: RunName = "", as_: As = "", as_json: AsJson = False) -> None:
    from qianheng.actions.explain import opened, opportunity

    with opened(run, as_) as kept:
        answer = opportunity(kept, id_)
    if as_json:
        print_json(answer)
        return
    typer.echo(say("explain.title.opportunity", **_placed(answer)))
    _print_candidates("", answer["candidates"], CANDIDATE)
    if answer["candidates_kept"] == "winners":
        typer.echo(say("explain.winners_only"))


def _day(plan: PlanId, day: Day, run: RunName = "", as_: As = "", as_json: AsJson = False) -> None:
    from qianheng.actions.explain import opened, plan_day
    from qianheng.core.days import parse_day

    with opened(run, as_) as kept:
        answer = plan_day(kept, plan, parse_day(day, "--day"))
    if as_json:
        print_json(answer)
        return
    ratio = answer["hindsight_ratio"]
    reached, best = (one or "–" for one in _money(answer, "reached", "best"))
    shown = {"share": _percent(ratio) or "–", "reached": reached, "best": best}
    typer.echo(say("explain.title.day", **{**answer, **shown}))
    gap = [
        [say(f"explain.cause.{row['cause']}"), *_money(row, "worth"), _percent(row["share"])] for row in answer["gap"]
    ]
    print_table(say("explain.title.gap"), headings("explain", "cause", "worth", "of_optimum"), gap)
    fates = [[_fate(row), f"{row['count']:,}", *_money(row, "worth", "missed")] for row in answer["fates"]]
    rate = f"{float(answer['sample_rate']):.1%}"
    print_table(say("explain.title.fates", rate=rate), headings("explain", "fate", "count", "worth", "missed"), fates)
    if answer["top_losses"]:
        names = ("opportunity_id", "at", "placement", "worth", "bid", "prices")
        _print_candidates(say("explain.title.top_losses"), answer["top_losses"], names)


def _hour(plan: PlanId, at: At, run: RunName = "", as_: As = "", as_json: AsJson = False) -> None:
    from qianheng.actions.explain import opened, plan_hour

    with opened(run, as_) as kept:
        answer = plan_hour(kept, plan, at)
    if as_json:
        print_json(answer)
        return
    typer.echo(say("explain.title.hour", plan=answer["plan"], at=_minute(answer["at"])))
    rows: list[tuple[str | None, ...]] = [(say("explain.column.multiplier"), _short(answer["multiplier"]))]
    rows += [(say("explain.column.binding"), say(f"pages.binding.{answer['binding']}"))]
    rows += [(say("explain.column.slack"), *_money(answer, "slack"))]
    for name, sums in (answer["expects"] or {}).items():
        mean, low, high = (_money(sums, end)[0] for end in ("mean", "low", "high"))
        rows.append((say(f"explain.column.expected_{name}"), say("explain.between", mean=mean, low=low, high=high)))
    if before := answer["before"]:
        rows.append((say("explain.column.before", at=_minute(before["at"])), _short(before["multiplier"])))
    print_table("", ["", ""], rows)
    if answer["moved"]:
        parts = [[say(f"explain.mover.{one['mover']}"), f"× {float(one['factor']):.3f}"] for one in answer["moved"]]
        print_table(say("explain.title.moved"), headings("explain", "mover", "multiplier"), parts)


def _print_candidates(title: str, candidates: list[Json], names: tuple[str, ...]) -> None:
    rows = [[*(_cell(one, name) for name in names), _fate(one)] for one in candidates]
    print_table(title, headings("explain", *names, "fate"), rows)
    if not all(one["replayed"] for one in candidates):
        typer.echo(say("explain.not_replayed"))


def _cell(candidate: Json, name: str) -> object:
    """A value of a candidate as people read it: money in yuan with the places that bids need."""
    value = candidate[name]
    if name in ("predicted", "worth", "bid"):
        return f"{float(value):.4f}"
    if name in ("share", "factor", "multiplier"):
        return _short(value)
    if name == "prices":
        return " / ".join(f"{float(price):.4f}" for price in value)
    if name == "placement":
        return say(f"pages.placement.{value}")
    return value[11:19] if name == "at" else value


def _placed(answer: Json) -> Json:
    return {**answer, "at": _minute(answer["at"]), "placement": say(f"pages.placement.{answer['placement']}")}


def _fate(row: Json) -> str:
    return say(f"explain.fate.{row['fate']}")


def _money(row: Json, *names: str) -> list[str | None]:
    return [None if row[name] is None else f"{float(row[name]):,.2f}" for name in names]


def _minute(at: str) -> str:
    """A time as people read it, in its own zone."""
    return at[:16].replace("T", " ")


def _percent(share: str | None) -> str | None:
    return None if share is None else f"{float(share):.1%}"


def _short(ratio: str) -> str:
    return f"{float(ratio):.4f}"
