"""`qianheng guarantee`: judge a case, explain it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli import auditing, calendar, closing, liability, policies, proving
from qianheng.cli.options import App
from qianheng.cli.output import AsJson, print_json
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.cli.cases import Question
    from qianheng.cli.hands import Tell
    from qianheng.guarantee.case import Case
    from qianheng.guarantee.policy import Policy

Workers: TypeAlias = Annotated[
    int | None, typer.Option("--workers", min=1, metavar="N", help=say("guarantee.command.workers"))
]
CasePath: TypeAlias = Annotated[str, typer.Argument(metavar="CASE", help=say("guarantee.command.case"))]
Now: TypeAlias = Annotated[str, typer.Option("--now", metavar="TIME", help=say("guarantee.command.now"))]
PolicyName: TypeAlias = Annotated[
    str, typer.Option("--policy", metavar="NAME|FILE", help=say("guarantee.command.policy"))
]


def build_app() -> typer.Typer:
    """The commands of the guarantee."""
    app = App(say("guarantee.command.about"), no_args_is_help=True)
    app.command("evaluate", help=say("guarantee.command.evaluate"))(_evaluate)
    app.command("explain", help=say("guarantee.command.explain"))(_explain)
    policies.add_to(app)
    proving.add_to(app)
    closing.add_to(app)
    liability.add_to(app)
    calendar.add_to(app)
    auditing.add_to(app)
    return app


def _evaluate(
    case: CasePath, now: Now = "", policy: PolicyName = "", workers: Workers = None, as_json: AsJson = False
) -> None:
    from qianheng.cli import verdicts
    from qianheng.cli.cases import cases, question
    from qianheng.guarantee.verdict import evaluate

    asked = question(case, now, policy)
    if as_json:
        _print_answers(asked, _answer, workers)
        return
    judged = ((rules, read, evaluate(rules, read)) for rules, read in cases(asked))
    if case.endswith(".jsonl"):
        verdicts.print_many(judged)
    else:
        verdicts.print_one(*next(judged))


def _explain(
    case: CasePath, now: Now = "", policy: PolicyName = "", workers: Workers = None, as_json: AsJson = False
) -> None:
    from qianheng.cli import verdicts
    from qianheng.cli.cases import cases, question
    from qianheng.guarantee.explain import explain

    asked = question(case, now, policy)
    if as_json:
        _print_answers(asked, explain, workers)
        return
    for explanation in [explain(rules, read) for rules, read in cases(asked)]:
        verdicts.print_explanation(explanation)


def _answer(policy: Policy, case: Case) -> dict[str, object]:
    from qianheng.guarantee.verdict import answer, evaluate

    return answer(evaluate(policy, case), case.unit.timezone)


def _print_answers(asked: Question, tell: Tell, workers: int | None) -> None:
    """What is told of each case as JSON, one a line: all of it or, on an error, nothing."""
    from qianheng.cli.cases import all_or_nothing, cases
    from qianheng.cli.hands import answers

    with all_or_nothing():
        if asked.path.endswith(".jsonl"):
            for text in answers(asked, tell, workers):
                sys.stdout.write(text)
        else:
            for policy, case in cases(asked):
                print_json(tell(policy, case))
