"""`qianheng experiment evaluate`: what other policies would have brought, by what was logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.figures import PlanId
from qianheng.cli.options import App, Seat
from qianheng.cli.output import AsJson, headings, print_json, print_table
from qianheng.cli.sources import desk_asked
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.evaluations import Evaluated
    from qianheng.core.interval import Interval
    from qianheng.experiments.off_policy import Ground

THOUSAND = 1000
COLUMNS = ("reward", "estimator", "logged", "mean", "gain")
Policy: TypeAlias = Annotated[str, typer.Option("--policy", metavar="POLICY", help=say("evaluations.policy"))]


def build_app() -> typer.Typer:
    """The policies that can be evaluated."""
    app = App(say("evaluations.about"), no_args_is_help=True)
    app.command("creatives", help=say("evaluations.creatives"))(_creatives)
    app.command("bids", help=say("evaluations.bids"))(_bids)
    return app


def _creatives(seat: Seat, policy: Policy = "uniform", plan: PlanId = None, as_json: AsJson = False) -> None:
    from qianheng.actions.evaluations import evaluate_creatives

    with desk_asked(seat) as desk:
        _tell("creatives", evaluate_creatives(desk, policy, plan), as_json)


def _bids(seat: Seat, policy: Policy = "+10%", plan: PlanId = None, as_json: AsJson = False) -> None:
    from qianheng.actions.evaluations import evaluate_bids

    with desk_asked(seat) as desk:
        _tell("bids", evaluate_bids(desk, policy, plan), as_json)


def _tell(what: str, found: Evaluated, as_json: bool) -> None:
    """The answer, or why there is none; exit code 1 where nothing can be known."""
    if as_json:
        print_json(_json(found))
    else:
        _print(what, found)
    if found.ground.doubts:
        raise typer.Exit(1)


def _json(found: Evaluated) -> dict[str, Any]:
    from dataclasses import asdict

    rewards = {
        name: {
            "logged": _ends(name, one.logged),
            "best": one.best,
            "estimates": {
                str(by): {"mean": _ends(name, mean), "gain": _ends(name, one.gains[by])}
                for by, mean in one.means.items()
            },
        }
        for name, one in found.rewards.items()
    }
    doubts = [str(doubt) for doubt in found.ground.doubts]
    told = {"policy": found.policy, "doubts": doubts, "ground": asdict(found.ground.ground), "per_thousand": rewards}
    return told | {"roi": None if found.roi is None else _ends("roi", found.roi)}


def _print(what: str, found: Evaluated) -> None:
    ground = found.ground.ground
    title = say(f"evaluations.title_{what}", policy=found.policy, choices=ground.choices)
    if not ground.choices:
        typer.echo(say("evaluations.nothing_logged"))
        return
    if found.ground.doubts:
        typer.echo("\n".join([title, say("evaluations.cannot_know"), *(f"· {text}" for text in _doubts(found))]))
        return
    print_table(title, headings("evaluations", *COLUMNS), _rows(found))
    typer.echo(say("evaluations.ground", **_told(ground)))
    typer.echo(say("evaluations.best", estimator=say(f"evaluations.estimator.{found.ground.best}")))
    if found.roi is not None:
        low, expected, high = _shown("roi", found.roi)
        typer.echo(say("evaluations.roi", low=low, expected=expected, high=high))
    typer.echo(say("evaluations.as_it_is"))


def _rows(found: Evaluated) -> Iterator[list[object]]:
    for name, one in found.rewards.items():
        for by, mean in one.means.items():
            told = say(f"evaluations.reward.{name}"), say(f"evaluations.estimator.{by}")
            yield [*told, _between(name, one.logged), _between(name, mean), _between(name, one.gains[by])]


def _doubts(found: Evaluated) -> Iterator[str]:
    for doubt in found.ground.doubts:
        yield say(f"evaluations.doubt.{doubt}", **_told(found.ground.ground))


def _told(ground: Ground) -> dict[str, object]:
    return {
        "effective": f"{ground.effective:,.0f}",
        "rewarded": f"{ground.rewarded:,.0f}",
        "heaviest": f"{ground.heaviest:.1%}",
        "cut_off": f"{ground.cut_off:.1%}",
        "share": f"{ground.unsupported:.1%}",
        "mean": f"{ground.mean_weight:.3f}",
    }


def _between(name: str, interval: Interval | None) -> str | None:
    if interval is None:
        return None
    low, expected, high = _shown(name, interval)
    return say("reviews.between", value=expected, low=low, high=high)


def _shown(name: str, interval: Interval) -> tuple[str, ...]:
    return tuple(f"{_unit(name, end):,.2f}" for end in (interval.low, interval.expected, interval.high))


def _unit(name: str, value: Any) -> float:
    """A mean as people read it: clicks, or yuan, of a thousand choices; a ratio as it is."""
    from qianheng.core.money import YUAN

    return float(value * {"roi": 1, "clicks": THOUSAND}.get(name, THOUSAND / YUAN))


def _ends(name: str, interval: Interval | None) -> dict[str, str] | None:
    from qianheng.core.interval import ENDS

    return None if interval is None else {end: f"{_unit(name, getattr(interval, end)):.6f}" for end in ENDS}
