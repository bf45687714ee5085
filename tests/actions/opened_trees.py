"""The trees of all transfers of a ledger, each found to add up to the micro-yuan and to hold each fact once."""

from collections import Counter

from qianheng.actions.desk import Desk
from qianheng.actions.yuan import Question, explained
from qianheng.core.proof import Part, checked
from qianheng.ledger.transfers import State, Transfer
from qianheng.store import ledger
from qianheng.store.database import reading

FACTS = ("charge", "order", "refund")
Trees = dict[int, tuple[Transfer, list[Part]]]


def trees(desk: Desk) -> Trees:
    """The tree of every transfer of a ledger, found to add up, each fact once."""
    with reading(desk.database) as connection:
        found = {one.id: one for one in ledger.all_transfers(connection)}
    return {key: (one, tree(desk, one)) for key, one in found.items()}


def tree(desk: Desk, transfer: Transfer) -> list[Part]:
    with explained(desk, Question(transfer.id)) as part:
        parts = list(checked(part))
    assert parts[0].amount == transfer.amount
    facts = Counter(one.fact for one in parts if one.fact and one.fact.split()[0] in FACTS)
    assert not facts or max(facts.values()) == 1
    return parts


def below(found: Trees, reason: str, state: State = State.POSTED) -> list[Part]:
    return [part for one, parts in found.values() if one.reason == reason and one.state is state for part in parts[1:]]


def kinds(parts: list[Part]) -> set[str]:
    return {part.kind for part in parts}
