"""`qianheng guarantee prove`: what anyone can check of a plan's day."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.desk import As, Now, RunName
from qianheng.cli.output import AsJson, print_json, whole_file
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.guarantee.case import Case

PlanId: TypeAlias = Annotated[int, typer.Option("--plan", metavar="ID", help=say("proof.command.plan"))]
Day: TypeAlias = Annotated[str, typer.Option("--day", metavar="DAY", help=say("proof.command.day"))]
Out: TypeAlias = Annotated[str, typer.Option("--out", metavar="FILE", help=say("proof.command.out"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands that prove what the guarantee says."""
    app.command("prove", help=say("proof.command.prove"))(_prove)


def _prove(
    plan: PlanId, day: Day, out: Out = "", run: RunName = "", as_: As = "", now: Now = "", as_json: AsJson = False
) -> None:
    from qianheng.actions.cases import kept_case
    from qianheng.actions.desk import desk_of
    from qianheng.actions.policies import in_force
    from qianheng.cli import verdicts
    from qianheng.guarantee.verdict import answer, evaluate
    from qianheng.guarantee.writing import written

    with desk_of(run, as_, now) as desk:
        case = kept_case(desk, plan, day)
    if not out:
        sys.stdout.writelines(written(case))
        return
    with whole_file(out) as file:
        file.writelines(written(case))
    policy = in_force(case.policy, case.unit.day)
    verdict = evaluate(policy, case)
    if as_json:
        print_json(_pack(out, case) | {"verdict": answer(verdict, case.unit.timezone)})
        return
    verdicts.print_one(policy, case, verdict)
    told = _pack(out, case)
    typer.echo(say("proof.written", **told | {"plan": told.pop("plan_id")}))


def _pack(out: str, case: Case) -> dict[str, object]:
    """What a proof pack is of."""
    unit = {"plan_id": case.unit.plan_id, "day": case.unit.day.isoformat()}
    return {"file": out, **unit, "charges": len(case.charges), "orders": len(case.orders)}
