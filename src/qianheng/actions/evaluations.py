"""What another way to choose creatives, or to bid, would have brought, by choices logged with their chances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.actions.desk import Desk
from qianheng.actions.figures import plans_of
from qianheng.core.errors import BadInput
from qianheng.core.interval import Interval
from qianheng.delivery.journal import crossed
from qianheng.delivery.shown import IDS_PER_OPPORTUNITY
from qianheng.experiments.off_policy import Evaluation, Logged, evaluated, higher, ratio_evaluated
from qianheng.store.database import reading

UNIFORM = "uniform"
LOWEST, HIGHEST = Decimal("-0.9"), Decimal("9")
Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a policy would have brought a choice: by reward (money in micro-yuan); `roi`: GMV over spend, of bids."""

    policy: str
    rewards: Mapping[str, Evaluation]
    roi: Interval | None = None

    @property
    def ground(self) -> Evaluation:
        """The evaluation whose ground and doubts are told: of GMV, what is rewarded least often."""
        return self.rewards["gmv"]


def evaluate_creatives(desk: Desk, policy: str, plan_id: int | None = None) -> Evaluated:
    """Clicks and GMV a look, were creatives chosen all alike (`uniform`), or always the one of an id. A look counts if
    its creative was chosen out of several by a logged chance; of one creative, if it might have been that.

    Something else than a policy: BadInput.
    """
    if policy != UNIFORM and not policy.isdecimal():
        raise BadInput("evaluations.bad_policy", place="--policy", value=policy, known=f"{UNIFORM}, ID")
    looks = _Log(desk, plan_id, "d.fate = 'won' AND d.creatives > 1")
    creative, chance = looks.of("creative_id"), looks.of("creative_chance")
    if policy == UNIFORM:
        wanted = 1 / looks.of("creatives")
        use = np.ones(len(chance), bool)
    else:
        product = looks.of("product_id")
        use = np.isin(product, product[creative == int(policy)])
        wanted = (creative == int(policy)).astype(float)
    weight, nothing = (wanted / chance)[use], np.zeros(int(use.sum()))
    rewards = {name: looks.reward(name)[use] for name in ("clicks", "gmv")}
    return Evaluated(policy, {name: evaluated(Logged(weight, one, nothing)) for name, one in rewards.items()})


def evaluate_bids(desk: Desk, policy: str, plan_id: int | None = None) -> Evaluated:
    """Spend and GMV a bid, were bids so much higher ("+10%") or lower, spread as they were when they were drawn.

    A model of each reward, what is predicted and the price of a place where the bid suffices for one, narrows the
    intervals; they hold if it is wrong. Something else than a change: BadInput.
    """
    times = _times(policy)
    bids = _Log(desk, plan_id, "d.bid_spread > 0 AND d.bid > 0")
    factor, spread = np.log(bids.of("bid_factor")), bids.of("bid_spread")
    shift = float(np.log(float(times)))
    weight = np.exp((factor**2 - (factor - shift) ** 2) / (2 * spread**2))
    base, cheapest = np.log(bids.of("bid")) - factor, bids.cheapest()
    suffices = (base + factor >= np.log(cheapest)).astype(float)
    would = higher(base + shift, spread, np.log(cheapest))
    worth = {"spend": cheapest, "gmv": bids.of("predicted") * bids.of("factor")}
    logged = {
        name: Logged(weight, bids.reward(name), np.zeros(len(weight)), one * suffices, one * would)
        for name, one in worth.items()
    }
    roi = ratio_evaluated(logged["gmv"], logged["spend"]) if len(weight) else None
    return Evaluated(policy, {name: evaluated(one) for name, one in logged.items()}, roi)


def _times(policy: str) -> Decimal:
    """The factor that "+10%" stands for."""
    try:
        change = Decimal(policy.removesuffix("%")) / 100 if policy.endswith("%") else Decimal("NaN")
    except InvalidOperation:
        change = Decimal("NaN")
    if not change.is_finite() or not LOWEST <= change <= HIGHEST:
        raise BadInput("evaluations.bad_policy", place="--policy", value=policy, known="+10%, -5%")
    return 1 + change


class _Log:
    """The decisions of a shop's plans that fulfil a condition, in order of time, and what became of each."""

    def __init__(self, desk: Desk, plan_id: int | None, condition: str) -> None:
        with reading(desk.database) as connection:
            ids = ", ".join(str(plan.id) for plan in plans_of(desk, connection, plan_id)) or "NULL"
            query = f"SELECT * FROM decisions AS d WHERE d.plan_id IN ({ids}) AND {condition} ORDER BY d.at, d.id"
            self.decisions: pa.Table = desk.lake.query(connection, query, as_of=desk.now)
            clicks = "SELECT f.impression_id AS id, 1 AS reward FROM clicks AS f WHERE f.plan_id >= 0"
            orders = "SELECT f.click_id AS id, f.amount AS reward FROM orders AS f WHERE f.channel = 1"
            told = {"clicks": clicks, "gmv": orders}
            self._told = {name: desk.lake.query(connection, sql, as_of=desk.now) for name, sql in told.items()}
        opportunity = crossed(self.decisions["id"].to_numpy(), self.decisions["plan_id"].to_numpy())
        self._impression: Int = opportunity * IDS_PER_OPPORTUNITY + self.decisions["slot"].to_numpy()

    def of(self, name: str) -> Float:
        """A column of the decisions."""
        return self.decisions[name].to_numpy().astype(np.int64 if name.endswith("_id") else np.float64)

    def cheapest(self) -> Float:
        """What the cheapest place of each page cost, micro-yuan."""
        prices: Any = self.decisions["prices"].to_pylist()
        return np.array([max(row[-1], 1.0) for row in prices], float)

    def reward(self, name: str) -> Float:
        """What each decision brought: clicks, GMV of orders it was the touch of, or spend (money in micro-yuan)."""
        won = self.decisions["fate"].to_numpy(zero_copy_only=False) == "won"
        if name == "spend":
            return np.where(won, self.of("price"), 0.0)
        told, order = self._told[name], np.argsort(self._impression)
        touched, amount = told["id"].to_numpy(), told["reward"].to_numpy().astype(float)
        place = np.searchsorted(self._impression[order], touched)
        known = np.append(self._impression[order], -1)[place] == touched
        found = np.zeros(len(order))
        np.add.at(found, order[place[known]], amount[known])
        return np.where(won, found, 0.0)
