"""`qianheng guarantee check` and `prove`: what anyone can check of a plan's day or a boost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.options import Seat
from qianheng.cli.output import AsJson, print_json, whole_file
from qianheng.core.words import say

if TYPE_CHECKING:
    from typing import Any

    from qianheng.actions.desk import Desk
    from qianheng.guarantee.case import Case
    from qianheng.guarantee.policy import Policy

CasePath: TypeAlias = Annotated[str, typer.Argument(metavar="[CASE]", help=say("proof.command.case"))]
AnyPlan: TypeAlias = Annotated[int | None, typer.Option("--plan", metavar="ID", help=say("proof.command.plan"))]
BoostId: TypeAlias = Annotated[int | None, typer.Option("--boost", metavar="ID", help=say("proof.command.boost"))]
Facts: TypeAlias = Annotated[bool, typer.Option("--facts", help=say("proof.command.facts"))]
Day: TypeAlias = Annotated[str, typer.Option("--day", metavar="DAY", help=say("proof.command.day"))]
Out: TypeAlias = Annotated[str, typer.Option("--out", metavar="FILE", help=say("proof.command.out"))]


def add_to(app: typer.Typer) -> None:
    """Add the commands that prove what the guarantee says."""
    app.command("check", help=say("proof.command.check"))(_check)
    app.command("prove", help=say("proof.command.prove"))(_prove)


def _check(
    seat: Seat,
    path: CasePath = "",
    plan: AnyPlan = None,
    day: Day = "",
    boost: BoostId = None,
    facts: Facts = False,
    as_json: AsJson = False,
) -> None:
    from qianheng.actions.checking import kept_check, self_check
    from qianheng.cli.cases import cases, question
    from qianheng.core.errors import BadInput

    if bool(path) + (plan is not None) + (boost is not None) != 1 or (plan is not None) != bool(day):
        raise BadInput("proof.fault.case_or_day", place="CASE, --plan --day, --boost")
    if not path:
        with seat.desk() as desk:
            checked = [kept_check(desk, _kept(desk, plan, day, boost), facts=facts)]
    else:
        found = cases(question(path, seat.now, ""))
        checked = [(policy, case, self_check(policy, case, facts=facts)) for policy, case in found]
    for policy, case, told in checked:
        if as_json:
            print_json(told)
        else:
            _print_check(policy, case, told)


def _print_check(policy: Policy, case: Case, told: dict[str, Any]) -> None:
    from qianheng.cli import verdicts
    from qianheng.guarantee.verdict import evaluate

    verdicts.print_one(policy, case, evaluate(policy, case))
    for kind in ("charges", "orders"):
        typer.echo(_counted(kind, told["facts"][kind]))
        for fact in told.get(kind, ()):
            typer.echo(f"  {verdicts.fact_line(fact)}")
    verdict = told["verdict"]
    if not verdict["final"]:
        typer.echo(say("proof.check.pending", at=verdict["judged_at"]))
    if "ledger" in told:
        typer.echo(say("proof.check.ledger", **told["ledger"]))
    if told["remedies"]:
        typer.echo(say("proof.check.remedies"))
        for one in told["remedies"]:
            typer.echo(f"  {one['step']}. {one['sentence']}")


def _counted(kind: str, counts: dict[str, Any]) -> str:
    left_out = [
        say("proof.check.left_out", count=count, reason=say(f"guarantee.left_out.{reason}"))
        for reason, count in counts["left_out"].items()
    ]
    return say("proof.comma").join([say(f"proof.check.{kind}", counted=counts["counted"]), *left_out])


def _prove(
    seat: Seat, plan: AnyPlan = None, day: Day = "", boost: BoostId = None, out: Out = "", as_json: AsJson = False
) -> None:
    from qianheng.actions.policies import in_force
    from qianheng.cli import verdicts
    from qianheng.core.errors import BadInput
    from qianheng.guarantee.verdict import answer, evaluate
    from qianheng.guarantee.writing import written

    if (plan is None) == (boost is None) or (plan is not None) != bool(day):
        raise BadInput("proof.fault.day_or_boost", place="--plan --day, --boost")
    with seat.desk() as desk:
        case = _kept(desk, plan, day, boost)
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


def _kept(desk: Desk, plan: int | None, day: str, boost: int | None) -> Case:
    """The case of a plan's day or of a boost of a kept run."""
    from qianheng.actions.boost_units import kept_boost_case
    from qianheng.actions.cases import kept_case

    if boost is not None:
        return kept_boost_case(desk, boost)
    assert plan is not None  # as its callers have checked
    return kept_case(desk, plan, day)


def _pack(out: str, case: Case) -> dict[str, object]:
    """What a proof pack is of."""
    unit = {"plan_id": case.unit.plan_id, "day": case.unit.day.isoformat()}
    return {"file": out, **unit, "charges": len(case.charges), "orders": len(case.orders)}
