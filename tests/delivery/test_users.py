"""A plan bids for its share of users only, and nothing of a shop for those it holds out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from qianheng.core.days import MINUTE
from qianheng.core.errors import BadInput
from qianheng.delivery.engine import Engine
from qianheng.delivery.journal import Journal, replayed
from qianheng.facts.assignment import shares_of
from qianheng.facts.batch import FactBatch, join
from qianheng.facts.schema import Fate, Kind
from qianheng.plans.plan import Plan
from qianheng.plans.users import UserShare
from tests.delivery.markets import SHOP, START, engine, requests, serve

MILLION = 10_000_000
SALT = 7
HALVES = (UserShare(SALT, 0, 5000), UserShare(SALT, 5000, 10_000))
OTHER = replace(SHOP, id=2, name="other")


def shown_by(made: Engine, plan_id: int, seed: int = 1) -> set[int]:
    """The users who saw a plan in half an hour."""
    rng = np.random.default_rng(seed)
    facts: FactBatch = join(serve(made, rng, START + minute * MINUTE) for minute in range(30))
    shown = facts[Kind.IMPRESSION]
    return {user for user, plan in zip(*(shown[name].to_pylist() for name in ("user_id", "plan_id")), strict=True)
            if plan == plan_id}  # fmt: skip


def shares(users: set[int]) -> list[int]:
    return [int(share) for share in shares_of(SALT, np.array(sorted(users), np.int64))]


@pytest.mark.parametrize("share", HALVES)
def test_a_plan_is_shown_to_its_share_of_users_only(share: UserShare) -> None:
    users = shown_by(engine([replace(SHOP, users=share)], [MILLION]), SHOP.id)
    assert users
    assert all(share.has(user) for user in users)


def test_two_arms_share_all_users_between_them_and_nobody_sees_both() -> None:
    arms = [replace(SHOP, users=HALVES[0]), replace(OTHER, users=HALVES[1])]
    one, other = (shown_by(engine(arms, [MILLION, MILLION]), plan.id) for plan in arms)
    assert one
    assert other
    assert not one & other


def test_nothing_of_a_shop_is_shown_to_those_it_holds_out() -> None:
    made = engine([SHOP], [MILLION])
    made.site = replace(made.site, held_out={SHOP.shop_id: HALVES[0]})
    made.run_beside(())
    assert min(shares(shown_by(made, SHOP.id))) >= 5000
    made.site = replace(made.site, held_out={SHOP.shop_id + 1: HALVES[0]})
    made.run_beside(())
    assert min(shares(shown_by(made, SHOP.id, 2))) < 5000


def test_a_share_that_is_changed_acts_in_the_same_step() -> None:
    made = engine([SHOP], [MILLION])
    made.change(replace(SHOP, users=HALVES[1]), 1)
    assert min(shares(shown_by(made, SHOP.id))) >= 5000


def test_a_plan_that_joins_keeps_to_its_share_too() -> None:
    made = engine([SHOP], [MILLION])
    made.change(replace(SHOP, users=HALVES[0]), 1)
    made.add(replace(OTHER, users=HALVES[1]))
    made.lease(OTHER.id, MILLION)
    assert min(shares(shown_by(made, OTHER.id))) >= 5000


def test_the_fate_of_a_chance_outside_the_share_has_a_name_and_is_made_again_from_its_record() -> None:
    made, kept, rng = engine([replace(SHOP, users=HALVES[0])], [MILLION]), Journal(1.0), np.random.default_rng(3)
    batch = requests(rng, START, 200)
    tick = made.tick(batch, START)
    kept.note(made, tick, np.ones(len(tick.decisions), bool), START)
    told = kept.take()
    outside = shares_of(SALT, batch.user_id) >= 5000
    assert told["fate"].to_pylist().count(Fate.OUTSIDE_USERS) == outside.sum() > 0
    assert replayed(told).agrees.all()
    assert tick.worth[outside].sum() == 0 < tick.worth[~outside].sum()


@pytest.mark.parametrize("users", [(1, 0), (1, 5000, 5000), (1, 0, 10_001), (-1, 0, 1), (1, 2, 3, 4)])
def test_what_is_no_share_is_refused(users: Sequence[int]) -> None:
    with pytest.raises(BadInput) as refusal:
        replace(SHOP, users=tuple(users))
    assert refusal.value.key == "plans.users"


def test_a_plan_without_a_share_hashes_nobody() -> None:
    plans: list[Plan] = [SHOP]
    assert engine(plans, [MILLION]).users.allowed(np.arange(5)) is None
