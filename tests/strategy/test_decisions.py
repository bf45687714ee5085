"""What becomes of a proposal: no order of steps leads it anywhere but along its life."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from qianheng.core.actors import Actor, Role
from qianheng.core.errors import Refused
from qianheng.strategy.decisions import NEXT, Move, Standing, Status, Step, standing
from qianheng.strategy.proposal import Action, Proposal, Reason
from tests.strategy.shops_for_tests import NOW

OWNER = Actor("mei", Role.OWNER, 1)
CHANGE = Proposal(
    "1",
    Action.LOWER_TARGET,
    Reason("ladder"),
    NOW,
    NOW + timedelta(days=1),
    {"target": Decimal("2.00")},
    {"target": Decimal("1.80")},
)


def step(kind: Step, **more: object) -> Move:
    made = Move.by(OWNER, CHANGE.id, kind, NOW)
    return Move(made.proposal_id, kind, made.at, made.actor, made.role, **more)  # type: ignore[arg-type]


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.standing, self.moves = Standing(1, "1", CHANGE), list[Move]()

    @rule(kind=st.sampled_from(list(Step)))
    def make(self, kind: Step) -> None:
        move = step(kind)
        if self.standing.status in NEXT[kind]:
            self.standing = self.standing.having(move)
            self.moves.append(move)
            return
        with pytest.raises(Refused) as refused:
            self.standing.having(move)
        assert "p1" in str(refused.value)

    @invariant()
    def it_is_the_fold_of_its_moves(self) -> None:
        assert standing(1, "1", CHANGE, self.moves) == self.standing

    @invariant()
    def only_what_was_carried_out_is_in_force(self) -> None:
        steps = [move.step for move in self.moves]
        assert (self.standing.status in (Status.CARRIED_OUT, Status.MEASURED)) == (
            Step.CARRY_OUT in steps and Step.ROLL_BACK not in steps
        )

    @precondition(lambda self: self.standing.status in (Status.REJECTED, Status.EXPIRED, Status.ROLLED_BACK))
    @invariant()
    def an_end_is_an_end(self) -> None:
        assert all(self.standing.status not in after for after in NEXT.values())


TestLife = Life.TestCase


@pytest.mark.parametrize("steps", [[], [Step.MEASURE]])
def test_what_is_in_force_can_be_taken_back_measured_or_not(steps: list[Step]) -> None:
    made = [step(one) for one in (Step.SCHEDULE, Step.CARRY_OUT, *steps, Step.ROLL_BACK)]
    assert standing(1, "1", CHANGE, made).status is Status.ROLLED_BACK


def test_values_taken_up_are_those_edited() -> None:
    edited = standing(1, "1", CHANGE, [step(Step.ACCEPT, after={"target": Decimal("1.90")}), step(Step.CARRY_OUT)])
    assert (edited.after, edited.edited) == ({"target": Decimal("1.90")}, True)
    plain = standing(1, "1", CHANGE, [step(Step.ACCEPT, after=CHANGE.after)])
    assert (plain.after, plain.edited) == (CHANGE.after, False)


def test_a_proposal_made_again_the_same_day_is_the_same() -> None:
    later = Proposal("1", CHANGE.action, CHANGE.reason, NOW + timedelta(hours=9), NOW, CHANGE.before, CHANGE.after)
    tomorrow = Proposal("1", CHANGE.action, CHANGE.reason, NOW + timedelta(days=1), NOW, CHANGE.before, CHANGE.after)
    assert later.id == CHANGE.id != tomorrow.id
