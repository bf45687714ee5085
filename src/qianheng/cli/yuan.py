"""`qianheng explain yuan`: a yuan down to its facts, as a tree for people, as streamed JSON for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import AsOf, Seat
from qianheng.cli.output import WIDTH_UNSEEN, AsJson
from qianheng.cli.verdicts import in_words
from qianheng.core.errors import BadInput
from qianheng.core.words import known, say

if TYPE_CHECKING:
    from rich.tree import Tree

    from qianheng.core.proof import Part

SHOWN = 10
TIMES = ("at", "from", "until", "known_at")
AREAS = {
    "reason": ("guarantee.reason", "money.reason"),
    "why": ("money.reason",),
    "left_out": ("guarantee.left_out",),
    "name": ("guarantee.check",),
    "placement": ("pages.placement",),
    "condition": ("claims.condition",),
    "rule": ("incentives.rule",),
}
"""Where the words of a value are, beside the catalogue of proofs."""
_TRANSFER = typer.Option("--transfer", metavar="ID", help=say("proof.command.transfer"))
TransferId: TypeAlias = Annotated[int | None, _TRANSFER]
PlanId: TypeAlias = Annotated[int | None, typer.Option("--plan", metavar="ID", help=say("proof.command.yuan_plan"))]
Day: TypeAlias = Annotated[str, typer.Option("--day", metavar="DAY", help=say("proof.command.day"))]
Figure: TypeAlias = Annotated[str, typer.Option("--figure", metavar="NAME", help=say("proof.command.figure"))]
Limit: TypeAlias = Annotated[int | None, typer.Option("--limit", metavar="N", help=say("proof.command.limit"))]


def add_to(app: typer.Typer) -> None:
    """Add the command that follows money."""
    app.command("yuan", help=say("proof.command.yuan"))(_yuan)


def _yuan(
    seat: Seat,
    transfer: TransferId = None,
    plan: PlanId = None,
    day: Day = "",
    figure: Figure = "compensation",
    limit: Limit = None,
    as_of: AsOf = "",
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.yuan import Question, explained
    from qianheng.core.proof import limited, written

    if limit is not None and limit < 0:
        raise BadInput("proof.fault.bad_limit", place="--limit", value=limit)
    most = (0 if as_json else SHOWN) if limit is None else limit
    with seat.at(as_of).desk() as desk, explained(desk, Question(transfer, plan, day, figure)) as part:
        shown = limited(part, most) if most else part
        if as_json:
            sys.stdout.writelines(written(shown))
            sys.stdout.write("\n")
        else:
            _print(shown)


def _print(part: Part) -> None:
    from rich.console import Console
    from rich.tree import Tree

    tree = Tree(_line(part))
    _grow(tree, part)
    width = None if sys.stdout.isatty() else WIDTH_UNSEEN
    Console(highlight=False, markup=False, emoji=False, width=width).print(tree)


def _grow(tree: Tree, part: Part) -> None:
    for one in part.below():
        _grow(tree.add(_line(one)), one)


def _line(part: Part) -> str:
    """What a part is in words, its amount and how that counts above."""
    told = {name: _word(name, value) for name, value in part.told.items()}
    line = say(f"proof.part.{part.kind}", **told)
    if part.kind == "check":
        return f"{'✓' if part.told['passed'] else '✗'} {line}"
    if part.kind == "brought_by":
        opportunity = part.told.get("opportunity_id")
        return f"{line} → qianheng explain opportunity {opportunity}" if opportunity else line
    for name in ("left_out", "reason"):
        if part.kind != "transfer" and part.told.get(name):
            line += f"{say('proof.colon')}{told[name]}"
    return f"{_amount(part)}  {line}"


def _amount(part: Part) -> str:
    from qianheng.core.proof import money

    amount = money(part.amount)
    if part.factor in (0, 1):
        return f"({amount})" if part.factor == 0 else amount
    return f"−{amount}" if part.factor == -1 else f"{amount} × {part.factor} = {money(part.counts)}"


def _word(name: str, value: Any) -> str:
    """A value in the language spoken, where it is a word; "–" where there is none."""
    if value is None:
        return "–"
    if name in TIMES:
        return str(value)[:19].replace("T", " ")
    if name in ("value", "limit"):
        return in_words(str(value))
    if not (isinstance(value, str) and value.isidentifier()):
        return str(value)
    keys = (f"{area}.{value}" for area in (f"proof.{name}", *AREAS.get(name, ())))
    return next((say(key) for key in keys if known(key)), value)
