"""`qianheng simulate` and `qianheng serve`: live a scenario, see what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.campaigns import print_campaigns, print_shown
from qianheng.cli.earnings import print_earnings
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.core.days import parse_day
from qianheng.core.errors import BadInput
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from qianheng.actions.simulation import DayTold, RunFolder
    from qianheng.actions.summary import PlanRun, RunSummary

SHIPPED = "month, duel, crowd, tiny, super, pools, incentives"
PORT = 8321

Source: TypeAlias = Annotated[
    str, typer.Argument(metavar="SCENARIO", help=say("simulation.command.scenario", shipped=SHIPPED))
]
Seed: TypeAlias = Annotated[int | None, typer.Option("--seed", help=say("simulation.command.seed"))]
DayCount: TypeAlias = Annotated[int | None, typer.Option("--days", help=say("simulation.command.days"))]
Set: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=say("simulation.command.set"))
]
Page: TypeAlias = Annotated[Path | None, typer.Option("--page", metavar="FILE", help=say("simulation.command.page"))]
Fresh: TypeAlias = Annotated[bool, typer.Option("--fresh", help=say("simulation.command.fresh"))]
Until: TypeAlias = Annotated[str, typer.Option("--until", metavar="DAY", help=say("simulation.command.until"))]
Watch: TypeAlias = Annotated[bool, typer.Option("--watch", help=say("simulation.command.watch"))]
Port: TypeAlias = Annotated[int, typer.Option("--port", help=say("simulation.command.port"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands on simulated runs."""
    app.command("simulate", help=say("simulation.command.about"))(_simulate)
    app.command("serve", help=say("simulation.command.serve"))(_serve)


def _simulate(
    scenario: Source = "month",
    seed: Seed = None,
    days: DayCount = None,
    changes: Set = None,
    page: Page = None,
    fresh: Fresh = False,
    until: Until = "",
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.simulation import RunRequest, run_simulation
    from qianheng.actions.summarise import summarise
    from qianheng.actions.summary_json import as_json as json_of
    from qianheng.pages.run import render

    day = parse_day(until, "--until") if until else None
    request = RunRequest(scenario, seed, _overrides(days, changes or []), fresh, until=day, watch=watch)
    with _progress() as told:
        run = run_simulation(request, told)
    if not run.finished:
        _print_stop(run, as_json)
        return
    summary = summarise(run)
    path = page or run.path / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(summary), encoding="utf-8")
    if as_json:
        print_json(json_of(summary))
    else:
        _print_summary(summary)
        typer.echo(say("simulation.page_at", path=path))


def _print_stop(run: RunFolder, as_json: bool) -> None:
    """Where a run stopped that is to go on later."""
    where = {"run": run.path.name, "finished": False, "next_day": run.next_day.isoformat()}
    if as_json:
        print_json(where)
    else:
        typer.echo(say("simulation.stopped", **where))


def _serve(port: Port = PORT) -> None:
    from qianheng.cli.reading_room import serve

    serve(port)


def _overrides(days: int | None, changes: list[str]) -> dict[str, str]:
    if days is not None and days < 1:
        raise BadInput("simulation.bad_days", place="--days", value=days)
    overrides = {}
    for text in changes:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BadInput("simulation.bad_set", place="--set", value=text)
        overrides[key.strip()] = value.strip()
    return overrides | ({"days": str(days)} if days is not None else {})


@contextmanager
def _progress() -> Iterator[Callable[[DayTold], None]]:
    """A bar on standard error that tells each day as it has been lived; a line a day where nobody watches a screen."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task("", total=None)

        def watch(told: DayTold) -> None:
            bar.update(task, total=told.days, completed=min(told.number, told.days), description=_told(told))
            if told.delivering:
                console.print(f"{told.number:>3}/{told.days}  {_told(told)}")

        yield watch


def _told(told: DayTold) -> str:
    if not told.delivering:
        return say("simulation.progress.settling", day=told.day)
    rate = f"{told.opportunities / max(told.seconds, 1e-9):,.0f}"
    money = {"spend": money_text(told.spend), "gmv": money_text(told.gmv)}
    return say("simulation.progress.delivered", day=told.day, rate=rate, **money)


def _print_summary(summary: RunSummary) -> None:
    from qianheng.actions.frontier import verdict
    from qianheng.pages.incrementality import told_lines

    where = {"title": summary.title, "days": summary.days, "first": summary.first_day, "seed": summary.seed}
    columns = {plan.plan.name: _figures(plan) for plan in summary.plans}
    if len(summary.plans) > 1 or summary.campaigns:
        columns[say("simulation.total")] = _figures(summary)
    rows = [
        [say(f"simulation.column.{name}"), *cells]
        for name, *cells in zip(FIGURES, *columns.values(), strict=True)
        if name not in IF_ANY or any(cells)
    ]
    print_table(say("simulation.title", **where), ["", *columns], rows)
    _print_guarantee(summary)
    print_earnings(summary)
    print_campaigns(summary.campaigns)
    print_shown(summary.shown)
    if summary.gap:
        causes = (f"{say(f'explain.cause.{cause}')} {share:z.1%}" for cause, share in summary.gap.items())
        typer.echo(say("explain.gap_line", causes=say("pages.list").join(causes)))
    _print_members(summary)
    for added in summary.added:
        typer.echo("\n".join(told_lines(added)))
    for plan in summary.plans:
        if plan.outlook and not plan.outlook["feasible"]:
            typer.echo(say("simulation.of_plan", plan=plan.plan.name, told=verdict(plan.outlook)))
    balanced = say("simulation.balanced.yes" if summary.balanced else "simulation.balanced.no")
    funds = {name: money_text(amount) for name, amount in summary.funds._asdict().items()}
    typer.echo(say("simulation.balance", balanced=balanced, **funds))
    speed = {"opportunities": f"{summary.opportunities:,}", "seconds": f"{summary.seconds:.1f}"}
    typer.echo(say("simulation.speed", **speed))


FIGURES = (
    "spend",
    "gmv",
    "orders",
    "target",
    "payment_roi",
    "net_roi",
    "settled_roi",
    "overall_roi",
    "profit",
    "refund_rate_1h",
    "hindsight",
    "compensation",
    "boosted_spend",
    "boosted_roi",
    "invalid_spend",
)
IF_ANY = FIGURES[-3:]  # told where there were any


def _figures(of: RunSummary | PlanRun) -> list[str | None]:
    """The figures of one plan, or of all, in the order of `FIGURES`."""
    sums = of.sums
    ratios = (of.target, sums.payment_roi, sums.net_roi, sums.settled_roi(closed=True), sums.overall_roi)
    shares = (sums.refund_rate_1h, of.hindsight_ratio)
    return [
        money_text(sums.spend),
        money_text(sums.gmv),
        f"{sums.orders:,}",
        *(None if ratio is None else f"{float(ratio):.2f}" for ratio in ratios),
        money_text(of.profit),
        *(None if share is None else f"{float(share):.1%}" for share in shares),
        money_text(of.compensation),
        money_text(sums.boosted_spend) if sums.boosted_spend else None,
        None if sums.boosted_roi is None else f"{float(sums.boosted_roi):.2f}",
        money_text(sums.invalid_spend) if sums.invalid_spend else None,
    ]


def _print_guarantee(summary: RunSummary) -> None:
    """How the days of each plan ended under its guarantee, and why."""
    rows = []
    for plan in summary.plans:
        ended = Counter((day.judged.status, day.judged.verdict.reason) for day in plan.days)
        for (status, reason), count in ended.most_common():
            why = say(f"guarantee.reason.{reason}") if reason else None
            rows.append([plan.plan.name, count, say(f"guarantee.status.{status}"), why])
    columns = headings("simulation", "plan", "days", "status", "reason")
    print_table(say("simulation.guarantee_title"), columns, rows)


def _print_members(summary: RunSummary) -> None:
    """What super plans spent on each of their members, and why."""
    columns = headings("simulation.member", "member", "kind", "spend", "worth", "marginal", "why")
    for plan in summary.plans:
        rows = [
            (
                member.name,
                say(f"simulation.member.kind.{member.kind}"),
                money_text(member.spend),
                money_text(round(member.worth)),
                None if member.marginal is None else f"{member.marginal:.2f}",
                say(f"simulation.member.reason.{member.reason}"),
            )
            for member in plan.members
        ]
        if rows:
            print_table(say("simulation.member.title", plan=plan.plan.name), columns, rows)
