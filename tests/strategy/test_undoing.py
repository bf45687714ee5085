"""What was measured to hurt is proposed to be taken back, once, while it stands and is not long ago."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from qianheng.core.actors import Actor, Role
from qianheng.core.interval import Interval
from qianheng.plans.plan import Value
from qianheng.strategy.decisions import Move, Standing, Step, standing
from qianheng.strategy.followup import FollowUp, Measured, Outcome
from qianheng.strategy.proposal import Action, Measure, Proposal, Reason
from qianheng.strategy.undoing import undoings
from tests.strategy.shops_for_tests import NOW, day, history, setting

WAS: dict[str, Value] = {"target": Decimal("2.00")}
IS: dict[str, Value] = {"target": Decimal("1.80")}


def measured(outcome: Outcome = Outcome.HURT, days_ago: int = 1) -> Standing:
    made = Proposal("1", Action.LOWER_TARGET, Reason("most_profit"), NOW, NOW, WAS, IS)
    told = Measured(Measure.PROFIT, None, Interval(-30, -20, -5), 100, 7)
    found = FollowUp(outcome, day(10), day(16), beside_others=True, measured=(told,))
    taken, done, told_of = (
        Move.by(Actor("mei", Role.OWNER, 1), made.id, step, NOW - timedelta(days=days_ago))
        for step in (Step.SCHEDULE, Step.CARRY_OUT, Step.MEASURE)
    )
    return standing(3, "1", made, [replace(taken, after=IS), done, replace(told_of, found=found)])


def set_to(target: str):  # type: ignore[no-untyped-def]
    return history({"1": lambda _: (100, 300)}, {"1": (setting(target=Decimal(target)),)})


def test_it_gives_back_what_was_and_expects_the_contrary_of_what_was_measured() -> None:
    (one,) = undoings(set_to("1.80"), [measured()])
    assert (one.action, one.before, one.after) == (Action.UNDO, IS, WAS)
    (effect,) = one.effects
    assert (effect.change, effect.baseline) == (Interval(5, 20, 30), 100)
    assert one.good_until > NOW


@pytest.mark.parametrize(
    ("outcome", "days_ago", "target"),
    [(Outcome.HELPED, 1, "1.80"), (Outcome.CANNOT_TELL, 1, "1.80"), (Outcome.HURT, 15, "1.80"), (Outcome.HURT, 1, "2")],
)
def test_what_helped_or_is_long_ago_or_was_changed_since_is_left_alone(
    outcome: Outcome, days_ago: int, target: str
) -> None:
    assert not [*undoings(set_to(target), [measured(outcome, days_ago)])]


def test_it_is_said_once() -> None:
    told = set_to("1.80")
    (one,) = undoings(told, [measured()])
    assert not [*undoings(told, [measured(), Standing(4, "1", one)])]
