"""What a diagnosis goes by here: the owner's rules where there are any, else those shipped, and imported peers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qianheng.actions.findings import rules_kept, to_look_at
from qianheng.actions.histories import Asked
from qianheng.core.errors import BadInput
from qianheng.diagnosis import playbook, triage
from qianheng.diagnosis.findings import findings
from qianheng.diagnosis.ground import Ground
from qianheng.diagnosis.peers import Peers, parse_peers
from qianheng.diagnosis.playbook import Playbook
from qianheng.diagnosis.triage import Known, Rules
from qianheng.diagnosis.troubles import Judgement, Troubles, troubles
from qianheng.diagnosis.verdicts import thresholds
from qianheng.measures.history import History, Subject
from qianheng.store.database import home, home_path, own_file

PEERS = "peers.csv"


def rules_of_triage() -> Rules:
    """The owner's `QIANHENG_HOME/triage.toml`, else the rules shipped. It cannot be read: BadInput."""
    return triage.rules(own_file("triage.toml"))


def playbooks_known() -> dict[str, Playbook]:
    """The playbooks shipped and the owner's in `QIANHENG_HOME/playbooks`. One cannot be read: BadInput."""
    return playbook.playbooks(home_path() / "playbooks")


def troubles_of(history: History) -> Troubles:
    """What is wrong in the shop, by the owner's rules."""
    held = thresholds(own_file("thresholds.toml"))
    return troubles(history, Judgement(rules_of_triage(), held, playbooks_known(), known_beside(history)))


def ground_of(history: History, subject: Subject) -> Ground:
    """What figures of a subject are taken from."""
    known = known_beside(history)
    return Ground(history, subject, rules_of_triage().windows, known.findings, known.peers)


def asked_of(shop_id: str = "") -> Asked:
    """How much of the past a diagnosis looks at: what triage needs, and what findings do."""
    windows, look = rules_of_triage().windows, to_look_at(rules_kept(), shop_id)
    return replace(look, days=max(look.days, windows.base + 1, windows.days + windows.before + 1))


def known_beside(history: History) -> Known:
    """What is known beside the history: what has gone wrong, and what peers reach."""
    return Known(findings(history, rules_kept()), peers())


def peers() -> Peers:
    """The benchmarks the owner imported; none of them if there are none."""
    own = own_file(PEERS)
    return parse_peers(_text(own), str(own)) if own else Peers()


def import_peers(path: Path) -> Peers:
    """Keep the benchmarks of a CSV file instead of those kept so far. Any fault: BadInput, and nothing changes."""
    text = _text(path)
    found = parse_peers(text, str(path))
    incoming = home() / f"{PEERS}.new"
    incoming.write_text(text, encoding="utf-8")
    incoming.replace(home() / PEERS)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("core.unreadable_file", place=str(path), why=getattr(error, "strerror", None) or error) from None
