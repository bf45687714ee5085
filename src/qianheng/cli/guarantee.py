"""`qianheng guarantee`: judge a case, explain it, list the policies."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Annotated, NamedTuple, TypeAlias

import typer

from qianheng.cli.output import AsJson, print_json, print_table
from qianheng.core import days
from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.guarantee.case import Case
from qianheng.guarantee.policy import Policy, load_policy, policy_names, rules_in_words
from qianheng.guarantee.reading import parse_case

CasePath: TypeAlias = Annotated[str, typer.Argument(metavar="CASE", help=say("guarantee.command.case"))]
Now: TypeAlias = Annotated[str, typer.Option("--now", metavar="TIME", help=say("guarantee.command.now"))]
PolicyName: TypeAlias = Annotated[
    str, typer.Option("--policy", metavar="NAME|FILE", help=say("guarantee.command.policy"))
]

FAULTY_LINES_TOLD = 20
_SPOOLED_IN_MEMORY = 1 << 24


class _Question(NamedTuple):
    """What to look at, and how: the case file, and the time and policy that stand in for those of the case."""

    path: str
    now: int | None
    policy: str | None


def build_app() -> typer.Typer:
    """The commands of the guarantee."""
    app = typer.Typer(help=say("guarantee.command.about"), no_args_is_help=True)
    app.command("evaluate", help=say("guarantee.command.evaluate"))(_evaluate)
    app.command("explain", help=say("guarantee.command.explain"))(_explain)
    app.command("policies", help=say("guarantee.command.policies"))(_policies)
    return app


def _evaluate(case: CasePath, now: Now = "", policy: PolicyName = "", as_json: AsJson = False) -> None:
    from qianheng.cli import verdicts
    from qianheng.guarantee.verdict import answer, evaluate

    judged = ((rules, read, evaluate(rules, read)) for rules, read in _cases(_question(case, now, policy)))
    if as_json:
        with _all_or_nothing():
            for _, read, verdict in judged:
                print_json(answer(verdict, read.unit.timezone))
    elif case.endswith(".jsonl"):
        verdicts.print_many(judged)
    else:
        verdicts.print_one(*next(judged))


def _explain(case: CasePath, now: Now = "", policy: PolicyName = "", as_json: AsJson = False) -> None:
    from qianheng.cli import verdicts
    from qianheng.guarantee.explain import explain

    explained = (explain(rules, read) for rules, read in _cases(_question(case, now, policy)))
    if as_json:
        with _all_or_nothing():
            for explanation in explained:
                print_json(explanation)
    else:
        for explanation in list(explained):
            verdicts.print_explanation(explanation)


def _policies(as_json: AsJson = False) -> None:
    shipped = [load_policy(name) for name in policy_names()]
    if as_json:
        print_json([_policy_table(policy) for policy in shipped])
        return
    columns = [say(f"guarantee.column.{name}") for name in ("policy", "version", "rules")]
    print_table("", columns, [(p.name, p.version, "\n".join(rules_in_words(p))) for p in shipped])


def _policy_table(policy: Policy) -> dict[str, object]:
    return {
        "name": policy.name,
        "version": policy.version,
        "effective_from": policy.effective_from.isoformat(),
        "source": policy.source,
        "rules": rules_in_words(policy),
    }


def _question(path: str, now: str, policy: str) -> _Question:
    try:
        at = days.microseconds(days.parse_time(now)) if now else None
    except BadInput as error:
        raise error.at("--now") from None
    if policy:
        _load(policy, Path(), "--policy")
    return _Question(path, at, str(Path(policy).absolute()) if policy.endswith(".toml") else policy or None)


def _load(policy: str, folder: Path, place: str) -> Policy:
    try:
        return load_policy(policy, folder)
    except BadInput as error:
        raise error.at(place) from None


def _cases(question: _Question) -> Iterator[tuple[Policy, Case]]:
    """The cases of a file with their policies. Any faulty line: BadInput after the last, naming all, to a limit."""
    if not question.path.endswith(".jsonl"):
        yield _case(question, _read(question.path), question.path)
        return
    faults: list[BadInput] = []
    for number, line in _lines(question.path):
        try:
            found = _case(question, line, f"{question.path}:{number}")
        except BadInput as error:
            faults.append(error)
            continue
        if not faults:
            yield found
    if faults:
        raise _all_faults(question.path, faults)


def _case(question: _Question, text: bytes, place: str) -> tuple[Policy, Case]:
    case = parse_case(text, place, question.now, question.policy)
    return _load(case.policy, Path(question.path).parent, f"{place}: policy"), case


def _read(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise BadInput("core.unreadable_file", place=path, why=error.strerror) from None


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise BadInput("core.unreadable_file", place=path, why=error.strerror) from None


def _all_faults(path: str, faults: list[BadInput]) -> BadInput:
    told = [str(error).replace("\n", "\n  ") for error in faults[:FAULTY_LINES_TOLD]]
    if len(faults) > FAULTY_LINES_TOLD:
        told.append(say("guarantee.case.more_faults", count=len(faults) - FAULTY_LINES_TOLD))
    return BadInput("guarantee.case.faulty_lines", place=path, faults="\n  ".join(["", *told]))


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Hold what is printed until all of it is known: an error leaves standard output empty."""
    with SpooledTemporaryFile(_SPOOLED_IN_MEMORY, "w+", encoding="utf-8") as spool:
        with redirect_stdout(spool):
            yield
        spool.seek(0)
        shutil.copyfileobj(spool, sys.stdout)
