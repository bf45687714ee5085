"""Whose advice helps: ratios shrink to what is known around them, and move as follow-ups come in."""

from dataclasses import replace

import pytest

from qianheng.core.interval import Interval
from qianheng.strategy.followup import FollowUp, Measured, Outcome
from qianheng.strategy.learning import PRIOR, Followed, Learnt, learn, record
from qianheng.strategy.proposal import Action, Measure, Proposal, Reason
from tests.strategy.shops_for_tests import NOW, day

EXPECTED = Interval(50, 100, 150)


def followed(action: Action, gmv: int, error: int = 10, outcome: Outcome = Outcome.HELPED) -> Followed:
    told = (
        Measured(Measure.PROFIT, EXPECTED, Interval(gmv - error, gmv, gmv + error), 1000, 7),
        Measured(Measure.GMV, EXPECTED, Interval(gmv - error, gmv, gmv + error), 1000, 7),
    )
    made = Proposal("1", action, Reason("most_profit"), NOW, NOW)
    return Followed(made, FollowUp(outcome, day(1), day(7), beside_others=False, measured=told))


def test_nothing_known_takes_advice_at_its_word_with_doubt() -> None:
    ratio = Learnt().ratio(Action.RAISE_TARGET, Measure.GMV)
    assert (ratio.mean, ratio.spread) == (1.0, PRIOR[Measure.GMV])
    interval = ratio.of(100.0)
    assert interval.expected == 100
    assert interval.low < 100 < interval.high
    assert learn([]).ratio(Action.PAUSE, Measure.SPEND) == Learnt().ratio(Action.PAUSE, Measure.SPEND)


def test_one_follow_up_moves_little_and_many_move_far_and_surely() -> None:
    one = learn([followed(Action.RAISE_TARGET, 0)]).ratio(Action.RAISE_TARGET, Measure.GMV)
    many = learn([followed(Action.RAISE_TARGET, 0)] * 30).ratio(Action.RAISE_TARGET, Measure.GMV)
    assert 0.3 < one.mean < 0.9
    assert many.mean < 0.15
    assert many.spread < one.spread < PRIOR[Measure.GMV]
    assert (one.seen, many.seen) == (1, 30)


def test_one_wild_week_counts_no_more_than_a_fourfold_one() -> None:
    wild, fourfold = (learn([followed(Action.RAISE_TARGET, gmv)]) for gmv in (40_000, 400))
    assert wild == fourfold


def test_what_was_measured_badly_counts_little() -> None:
    surely = learn([followed(Action.RAISE_TARGET, 0)]).ratio(Action.RAISE_TARGET, Measure.GMV).mean
    badly = learn([followed(Action.RAISE_TARGET, 0, error=1000)]).ratio(Action.RAISE_TARGET, Measure.GMV).mean
    assert surely < badly < 1.0


def test_an_action_never_tried_takes_what_is_known_of_all() -> None:
    learnt = learn([followed(Action.RAISE_TARGET, 20)] * 20)
    other = learnt.ratio(Action.CUT_BUDGET, Measure.GMV)
    assert other.mean == pytest.approx(learnt.of_all[Measure.GMV].mean)
    assert other.mean < 0.5
    assert other.spread == PRIOR[Measure.GMV]


def test_the_record_tells_each_action_and_each_rule() -> None:
    known = [
        followed(Action.RAISE_TARGET, 100),
        followed(Action.RAISE_TARGET, 160),
        followed(Action.CUT_BUDGET, -300, outcome=Outcome.HURT),
    ]
    cut, raised = record(known)
    assert (raised.name, raised.followed, raised.helped, raised.hurt) == ("raise_target", 2, 2, 0)
    assert (raised.expected, raised.held, raised.profit) == (2, 2, 260)
    assert (cut.helped, cut.hurt, cut.held, cut.profit) == (0, 1, 0, -300)
    (rule,) = record(known, by_rule=True)
    assert (rule.name, rule.followed) == ("most_profit", 3)
    unexpected = [replace(known[0], found=replace(known[0].found, measured=()))]
    assert record(unexpected)[0].profit is None
