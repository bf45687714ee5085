"""`qianheng diagnose playbook|refunds|peers`: what to do in an emergency, what comes back, what peers reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from qianheng.cli.losses import (
    listed,
    missing_text,
    name_of,
    plan_asked,
    reading_text,
    subject_json,
    told_json,
    told_text,
)
from qianheng.cli.options import App
from qianheng.cli.output import AsJson, headings, money_text, print_json, print_table
from qianheng.cli.sources import OfPlan, ShopId, Source, history_asked
from qianheng.core.errors import NotFound
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.diagnosis.ground import Ground
    from qianheng.diagnosis.peers import Peers
    from qianheng.diagnosis.playbook import End, Playbook, Step, Walk
    from qianheng.diagnosis.refunds import RefundsOf

PlaybookName: TypeAlias = Annotated[str, typer.Argument(metavar="NAME|list", help=say("triage.command.playbook_name"))]
PeersFile: TypeAlias = Annotated[str, typer.Argument(metavar="FILE", help=say("triage.command.peers_file"))]
QUARTERS = ("p25", "p50", "p75")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("playbook", help=say("triage.command.playbook"))(_playbook)
    app.command("refunds", help=say("triage.command.refunds"))(_refunds)
    peers = App(say("triage.command.peers"), no_args_is_help=True)
    peers.command("import", help=say("triage.command.peers_import"))(_import_peers)
    peers.command("show", help=say("triage.command.peers_show"))(_show_peers)
    app.add_typer(peers, name="peers")


def _playbook(
    source: Source, name: PlaybookName = "list", plan: OfPlan = "", shop: ShopId = "", as_json: AsJson = False
) -> None:
    from qianheng.actions.diagnosing import playbooks_known
    from qianheng.diagnosis.playbook import walk

    known = playbooks_known()
    if name == "list":
        if plan:  # who names one is to hear that it is not theirs, even where nothing is told of it
            _ground(source, shop, plan)
        _list(known, as_json)
        return
    if name not in known:
        raise NotFound("triage.playbook.unknown", place="NAME", value=name, known=", ".join(known))
    walked = walk(name, known[name], _ground(source, shop, plan))
    if as_json:
        print_json(_walk_json(walked))
    else:
        _print_walk(known[name], walked)


def _ground(source: Source, shop: str, plan: str) -> Ground:
    from qianheng.actions.diagnosing import asked_of, ground_of

    history = history_asked(source, asked_of(shop))
    return ground_of(history, plan_asked(history, plan) if plan else history.whole_shop)


def _list(known: dict[str, Playbook], as_json: bool) -> None:
    if as_json:
        print_json([{"name": name, "title": str(one.title), "source": one.source} for name, one in known.items()])
        return
    rows = [(name, str(one.title), one.source) for name, one in known.items()]
    print_table("", headings("triage", "playbook", "title", "source"), rows)


def _walk_json(walked: Walk) -> dict[str, Any]:
    return {
        "playbook": walked.playbook,
        "subject": subject_json(walked.ground.subject),
        "path": _step_json(walked.start),
        "actions": list(dict.fromkeys(name for end in walked.ends for name in end.leaf.actions)),
        "sure": len(walked.ends) == 1,
        "missing": list(walked.missing),
    }


def _step_json(step: Step | End) -> dict[str, Any]:
    from qianheng.diagnosis.playbook import End

    if isinstance(step, End):
        return {"leaf": step.name, "advice": str(step.leaf.advice), "actions": list(step.leaf.actions)}
    branches = {branch: _step_json(to) for branch, to in step.branches.items()}
    return {"node": step.name, "ask": str(step.question), **told_json(step.told), "branches": branches}


def _print_walk(playbook: Playbook, walked: Walk) -> None:
    typer.echo(say("triage.playbook.walk", title=playbook.title, name=name_of(walked.ground.subject)))
    for line in _lines(walked.start, 0):
        typer.echo(line)
    if walked.missing:
        typer.echo(say("triage.loss.missing", names=listed(map(missing_text, walked.missing))))


def _lines(step: Step | End, depth: int) -> Iterator[str]:
    from qianheng.diagnosis.playbook import End

    indent = "  " * depth
    if isinstance(step, End):
        yield f"{indent}→ {step.leaf.advice}"
        if step.leaf.actions:
            actions = listed(say(f"triage.action.{name}") for name in step.leaf.actions)
            yield f"{indent}  {say('triage.playbook.actions', actions=actions)}"
        return
    answer = say(f"triage.answer.{step.told.answer}")
    yield f"{indent}{step.question} {answer}: {told_text(step.told)}"
    for branch, to in step.branches.items():
        if len(step.branches) > 1:
            yield f"{indent}{say(f'triage.playbook.if_{branch}')}"
        yield from _lines(to, depth + (len(step.branches) > 1))


def _refunds(source: Source, shop: ShopId = "", as_json: AsJson = False) -> None:
    from qianheng.diagnosis.refunds import refunds
    from qianheng.measures.history import About

    ground = _ground(source, shop, "")
    found = refunds(ground)
    if as_json:
        print_json([_refund_json(one) for one in found])
        return
    columns = headings("triage", "product", "refunded", "rate", "share", "against_base", "late", "saved", "remedy")
    print_table(say("triage.refunds.title", days=ground.windows.days), columns, map(_refund_row, found))
    for remedy in dict.fromkeys(one.remedy for one in found):
        typer.echo(f"{say(f'triage.remedy.{remedy}')}: {say(f'triage.remedy_does.{remedy}')}")
    if not found:
        missing = "refunded_1h" if ground.history.of(About.PRODUCT) else "product_report"
        typer.echo(say("triage.loss.missing", names=missing_text(missing)))


def _refund_json(one: RefundsOf) -> dict[str, Any]:
    from qianheng.core.money import ratio_text, yuan

    return {
        "subject": subject_json(one.subject),
        "refunded_1h": yuan(one.refunded),
        "refund_rate_1h": ratio_text(one.rate),
        "share": ratio_text(one.share),
        "late_share": ratio_text(one.late_share),
        "against_base": told_json(one.against_base),
        "rising": told_json(one.rising),
        "saved": None if one.saved is None else yuan(one.saved),
        "remedy": one.remedy.value,
    }


def _refund_row(one: RefundsOf) -> list[object]:
    told = [None if share is None else f"{float(share):.1%}" for share in (one.rate, one.share)]
    late = None if one.late_share is None else f"{float(one.late_share):.1%}"
    saved = None if one.saved is None else money_text(one.saved)
    base = reading_text(one.against_base.reading)
    return [
        name_of(one.subject),
        money_text(one.refunded),
        *told,
        base,
        late,
        saved,
        say(f"triage.remedy.{one.remedy}"),
    ]


def _import_peers(file: PeersFile, as_json: AsJson = False) -> None:
    from qianheng.actions.diagnosing import import_peers

    _tell_peers(import_peers(Path(file)), as_json)


def _show_peers(as_json: AsJson = False) -> None:
    from qianheng.actions.diagnosing import peers

    _tell_peers(peers(), as_json)


def _tell_peers(known: Peers, as_json: bool) -> None:
    from qianheng.core.money import YUAN, ratio_text
    from qianheng.diagnosis.peers import IN_YUAN

    rows = []
    for one in known.entries:
        scale = YUAN if one.measure in IN_YUAN else 1
        rows.append([one.measure, one.category, *(ratio_text(getattr(one, name) / scale) for name in QUARTERS)])
    if as_json:
        print_json([dict(zip(("measure", "category", *QUARTERS), row, strict=True)) for row in rows])
        return
    worded = [[say(f"evidence.{row[0]}"), row[1] or say("triage.peers.all"), *row[2:]] for row in rows]
    print_table("", headings("triage", "measure", "category", *QUARTERS), worded)
