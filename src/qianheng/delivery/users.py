"""Whom each plan and campaign may bid for: its own share of users, and none that its shop holds out (SPEC 8.4, 12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qianheng.core.assignment import SHARES
from qianheng.facts.assignment import shares_of
from qianheng.facts.opportunities import Bool, Int64
from qianheng.plans.campaign import StandardCampaign
from qianheng.plans.plan import Plan
from qianheng.plans.users import UserShare, user_share


def times_as_many(plan: Plan, before: Plan) -> float:
    """How many times as many users a plan is for as another, or as itself before."""
    sizes = [SHARES if (own := user_share(one.users)) is None else own.size for one in (plan, before)]
    return sizes[0] / sizes[1]


Shares = tuple[tuple[UserShare, bool], ...]  # each with whether it is to be inside, or outside


class Users:
    """The shares of users that each column, plans and then campaigns, is confined to."""

    def __init__(self, served: Sequence[Plan | StandardCampaign], held_out: Mapping[int, UserShare]) -> None:
        """`held_out`: by shop id, the users whom nothing of that shop bids for."""
        self.held_out = held_out
        self.shares = [self._of(one) for one in served]

    def change(self, row: int, plan: Plan) -> None:
        """A plan is so from now on."""
        self.shares[row] = self._of(plan)

    def allowed(self, user_id: Int64) -> Bool | None:
        """[n, columns] whether each may bid for each user; `None`: everybody for all of them.

        Users are hashed once a salt, however many shares are cut of it.
        """
        if not any(self.shares):
            return None
        salts = {share.salt for shares in self.shares for share, _ in shares}
        hashed = {salt: shares_of(salt, user_id) for salt in salts}
        allowed = np.ones((len(user_id), len(self.shares)), bool)
        for column, shares in enumerate(self.shares):
            for (salt, first, end), inside in shares:
                allowed[:, column] &= ((hashed[salt] >= first) & (hashed[salt] < end)) == inside
        return allowed

    def _of(self, one: Plan | StandardCampaign) -> Shares:
        own = user_share(one.users) if isinstance(one, Plan) else None
        out = self.held_out.get(one.shop_id)
        return (() if own is None else ((own, True),)) + (() if out is None else ((out, False),))
