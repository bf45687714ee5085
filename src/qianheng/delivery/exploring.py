"""Choices made by lot now and then, each with its chance, so that it can be told later what others would have brought
(SPEC 12; `experiments.off_policy`).

A lot is a hash of the opportunity and the plan: the same on every machine, and after a kill. By default nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from qianheng.core.ids import stable_id
from qianheng.delivery.clearing import Wins
from qianheng.delivery.members import Members
from qianheng.delivery.offers import Offers
from qianheng.facts.assignment import scramble
from qianheng.facts.opportunities import Decisions, Float32, Opportunities
from qianheng.plans.exploration import Exploration
from qianheng.prediction.space import Float, Int

_WHETHER, _FIRST, _SECOND, _CREATIVE, _WHICH = (stable_id("explored", number) for number in range(5))


@dataclass(frozen=True, slots=True)
class Explored:
    """What was left to chance in a control step. Of bids [n, plans]: the factor on each, 1 where none was drawn, and
    whether one was. Of wins [m]: out of how many creatives theirs was chosen, and its chance.
    """

    factor: Float
    drawn: npt.NDArray[np.bool_]
    creatives: npt.NDArray[np.int16]
    chance: Float32


class Lots:
    """The lots of a control step: of every (opportunity [n], plan [plans]); none where nothing is left to chance."""

    def __init__(self, exploration: Exploration, batch: Opportunities, plan_id: Int) -> None:
        self.exploration, self.batch, self.plan_id = exploration, batch, plan_id
        self.factor, self.drawn = np.ones((len(batch), len(plan_id))), np.zeros((len(batch), len(plan_id)), bool)

    def spread(self, asked: Float) -> Float:
        """Bids [n, plans] multiplied by what is drawn for them."""
        if not self.exploration.bids:
            return asked
        lots = scramble(self.batch.id)[:, None] ^ scramble(self.plan_id)[None, :]
        self.drawn = _uniform(lots, _WHETHER) < self.exploration.bids
        radius = np.sqrt(-2 * np.log1p(-_uniform(lots, _FIRST)))
        normal = radius * np.cos(2 * np.pi * _uniform(lots, _SECOND))
        self.factor = np.where(self.drawn, np.exp(self.exploration.spread * normal), 1.0)
        return asked * self.factor

    def shown(self, offers: Offers, wins: Wins, decisions: Decisions) -> tuple[Decisions, Explored | None]:
        """The decisions with the creatives that were drawn; a boost's stay as they are."""
        if not self.exploration.any:
            return decisions, None
        count, chance = np.ones(len(decisions), np.int16), np.ones(len(decisions), np.float32)
        creative, predicted = decisions.creative_id.copy(), decisions.predicted_gmv.copy()
        own = np.flatnonzero((wins.column < len(self.plan_id)) & (wins.boost == 0))
        for plan in np.unique(wins.column[own]).tolist() if self.exploration.creatives else ():
            of = own[wins.column[own] == plan]
            lots = scramble(self.batch.id[wins.row[of]]) ^ scramble(self.plan_id[plan : plan + 1])
            chosen, members = offers.drawn(self.batch, plan)[wins.row[of]], offers.members[plan]
            instead, count[of], chance[of] = creative_choices(self.exploration.creatives, members, chosen, lots)
            gain = offers.effect_of(plan, instead) / offers.effect_of(plan, chosen)
            creative[of], predicted[of] = members.creative_id[instead], np.rint(predicted[of] * gain)
        told = Explored(self.factor, self.drawn, count, chance)
        return replace(decisions, creative_id=creative, predicted_gmv=predicted), told


def creative_choices(
    share: float, members: Members, chosen: Int, lots: npt.NDArray[np.uint64]
) -> tuple[Int, npt.NDArray[np.int16], Float32]:
    """What is shown instead of members [m] of one plan: one of those of the same product in the same place; with it out
    of how many, and with what chance. lots: [m] bits of each win.
    """
    _, group = np.unique(np.stack([members.product_id, members.room_id]), axis=1, return_inverse=True)
    order, size = np.argsort(group, kind="stable"), np.bincount(group)
    count, start = size[group[chosen]], (np.cumsum(size) - size)[group[chosen]]
    drawn = order[start + (_uniform(lots, _WHICH) * count).astype(np.int64)]
    shown = np.where(_uniform(lots, _CREATIVE) < share, drawn, chosen)
    chance = share / count + np.where(shown == chosen, 1 - share, 0.0)
    return shown, count.astype(np.int16), chance.astype(np.float32)


def _uniform(lots: npt.NDArray[np.uint64], purpose: int) -> Float:
    bits = scramble(lots ^ np.uint64(purpose))
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53, float)
