"""`qianheng guarantee` on policies: list, validate, tell apart, put in force, announce, and compare what they pay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.options import Seat
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from collections import Counter

    from qianheng.guarantee.compare import Compared, Evidence, Tally
    from qianheng.guarantee.policy import Policy

Files: TypeAlias = Annotated[list[str], typer.Argument(metavar="FILE...", help=say("policies.command.files"))]
File: TypeAlias = Annotated[str, typer.Argument(metavar="FILE", help=say("policies.command.file"))]
Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help=say("policies.command.name"))]
One: TypeAlias = Annotated[str, typer.Argument(metavar="NAME[@VERSION]|FILE", help=say("policies.command.one"))]
Cases: TypeAlias = Annotated[list[str] | None, typer.Argument(metavar="[CASES]...", help=say("policies.command.cases"))]
Under: TypeAlias = Annotated[
    list[str] | None, typer.Option("--policy", metavar="NAME|FILE", help=say("policies.command.under"))
]
Units: TypeAlias = Annotated[bool, typer.Option("--units", help=say("policies.command.units"))]
TALLY = ("units", "covered", "compensated", "total", "open", "provisional", "void", "forgone", "ended", "not_covered")


def add_to(app: typer.Typer) -> None:
    """Add the commands on policies."""
    app.command("policies", help=say("policies.command.policies"))(_policies)
    app.command("validate", help=say("policies.command.validate"))(_validate)
    app.command("diff", help=say("policies.command.diff"))(_diff)
    app.command("install", help=say("policies.command.install"))(_install)
    app.command("announce", help=say("policies.command.announce"))(_announce)
    app.command("compare", help=say("policies.command.compare"))(_compare)


def _policies(as_json: AsJson = False) -> None:
    from qianheng.actions.policies import policies
    from qianheng.guarantee.policy_words import rules_in_words

    kept = policies()
    versions = [policy for name in kept.names for policy in kept.versions(name)]
    if as_json:
        print_json([_policy(policy) | {"rules": rules_in_words(policy)} for policy in versions])
        return
    rows = [(p.name, p.version, p.effective_from, p.announced_on, "\n".join(rules_in_words(p))) for p in versions]
    print_table("", headings("policies", "policy", "version", "effective_from", "announced_on", "rules"), rows)


def _validate(files: Files, as_json: AsJson = False) -> None:
    from qianheng.actions.policies import validated

    found = validated(files)
    if as_json:
        print_json([_policy(one.policy) | {"file": one.file, "cannot_install": one.why_not} for one in found])
        return
    for one in found:
        told = {"file": one.file, "policy": one.policy.name, "version": one.policy.version}
        typer.echo(say("policies.valid", **told, day=one.policy.effective_from))
        if one.why_not:
            typer.echo(say("policies.not_installable", why=one.why_not))


def _diff(a: One, b: One, as_json: AsJson = False) -> None:
    from qianheng.actions.policies import named
    from qianheng.guarantee.policy_words import differences

    before, after = named(a), named(b)
    found = differences(before, after)
    if as_json:
        told = [{"rule": one.rule, "a": one.before, "b": one.after} for one in found]
        print_json({"a": _policy(before), "b": _policy(after), "differences": told})
        return
    if not found:
        typer.echo(say("policies.same"))
        return
    rows = [(one.rule, one.before, one.after) for one in found]
    print_table("", [say("policies.column.rule"), _title(before), _title(after)], rows)


def _install(seat: Seat, file: File, as_json: AsJson = False) -> None:
    from pathlib import Path

    from qianheng.actions.policy_changes import put_in_force

    policy, shops = put_in_force(Path(file), seat.run, seat.actor, seat.now)
    if as_json:
        print_json(_policy(policy) | {"told": [str(shop) for shop in shops]})
        return
    told = {"policy": policy.name, "version": policy.version, "day": policy.effective_from}
    typer.echo(say("policies.installed", **told))
    typer.echo(say("policies.told", count=len(shops)))


def _announce(seat: Seat, name: Name, as_json: AsJson = False) -> None:
    from qianheng.actions.policies import named
    from qianheng.actions.policy_changes import announce
    from qianheng.core.actors import SYSTEM

    policy = named(name)
    with seat.by(SYSTEM.name).desk() as desk:
        shops = announce(desk, policy)
    if as_json:
        print_json(_policy(policy) | {"told": [str(shop) for shop in shops]})
    else:
        typer.echo(say("policies.told", count=len(shops)))


def _compare(
    seat: Seat, cases: Cases = None, policy: Under = None, units: Units = False, as_json: AsJson = False
) -> None:
    from qianheng.actions.policies import policies
    from qianheng.cli.cases import check_names
    from qianheng.guarantee.compare import compare, tally

    shelf = policies()
    names = list(dict.fromkeys(policy or shelf.names))
    check_names(shelf, policy or [], "--policy")
    with ExitStack() as opened:
        evidence = _of_files(cases, seat.now) if cases else _of_run(opened, seat)
        compared = compare(evidence, shelf, names)
        each = list(compared) if units else []
        tallies = tally(each if units else compared, names)
    shown = {name: one for name, one in tallies.items() if policy or not one.units or not one.elsewhere}
    if as_json:
        told: dict[str, Any] = {"policies": [{"policy": name} | _tally(one) for name, one in shown.items()]}
        print_json(told | {"units": [_compared(one, shown) for one in each]} if units else told)
        return
    print_table("", headings("policies", "policy", *TALLY), [(name, *_tally_row(one)) for name, one in shown.items()])
    if units:
        rows = [(one.unit.plan_id, one.unit.day, *(_verdict_text(one, name) for name in shown)) for one in each]
        print_table("", [*headings("policies", "plan", "day"), *shown], rows)


def _of_files(paths: list[str], now: str) -> Iterator[Evidence]:
    from qianheng.cli.cases import cases, question
    from qianheng.guarantee.compare import evidence_of

    for path in paths:
        for _, case in cases(question(path, now, "")):
            yield evidence_of(case)


def _of_run(opened: ExitStack, seat: Seat) -> Iterator[Evidence]:
    from qianheng.actions.comparing import kept_evidence

    return kept_evidence(opened.enter_context(seat.desk()))


def _policy(policy: Policy) -> dict[str, object]:
    return {
        "name": policy.name,
        "version": policy.version,
        "effective_from": policy.effective_from.isoformat(),
        "announced_on": None if policy.announced_on is None else policy.announced_on.isoformat(),
        "source": policy.source,
    }


def _tally(one: Tally) -> dict[str, Any]:
    from qianheng.core.money import yuan

    money = {name: yuan(getattr(one, name)) for name in ("total", "provisional", "forgone")}
    counts = {name: getattr(one, name) for name in ("units", "covered", "compensated", "open")}
    reasons = {name: dict(getattr(one, name)) for name in ("not_covered", "void", "ended")}
    return counts | money | reasons


def _tally_row(one: Tally) -> list[object]:
    money = {name: money_text(getattr(one, name)) for name in ("total", "provisional", "forgone")}
    reasons = {name: _reasons(getattr(one, name)) for name in ("not_covered", "void", "ended")}
    shown = money | reasons
    return [shown[name] if name in shown else getattr(one, name) for name in TALLY]


def _reasons(counts: Counter[Any]) -> str | None:
    return "\n".join(f"{say(f'guarantee.reason.{reason}')}: {count}" for reason, count in counts.most_common()) or None


def _compared(one: Compared, names: dict[str, Tally]) -> dict[str, Any]:
    from qianheng.core.money import yuan

    unit = {"type": one.unit.type, "plan_id": one.unit.plan_id, "day": one.unit.day.isoformat()}
    answers = {name: one.verdicts[name] for name in names}
    return unit | {
        "answers": {
            name: {"status": told.status, "reason": told.reason, "compensation": yuan(told.compensation)}
            for name, told in answers.items()
        }
    }


def _verdict_text(one: Compared, name: str) -> str:
    verdict = one.verdicts[name]
    if verdict.compensation:
        return money_text(verdict.compensation)
    return say(f"guarantee.reason.{verdict.reason}") if verdict.reason else say(f"guarantee.status.{verdict.status}")


def _title(policy: Policy) -> str:
    return f"{policy.name} v{policy.version}"
