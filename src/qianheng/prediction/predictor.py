"""The predictor: click, conversion, order value and refunds of every item and cell, refitted from facts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.core.days import REFUND_WINDOW_1H, REFUND_WINDOW_7D
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Kind
from qianheng.prediction.creatives import Creatives
from qianheng.prediction.delay import EDGES, DelayCurve
from qianheng.prediction.rates import Prior, rates
from qianheng.prediction.recent import Recent
from qianheng.prediction.space import Float, Int, Space

CONVERSION_WINDOW = int(EDGES[-1])


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed before any fact. Stated guesses of a content-commerce shop, soon outweighed by facts."""

    click: Prior = field(default_factory=lambda: Prior(rate=0.03, events=5.0, effect_events=20.0))
    order: Prior = field(default_factory=lambda: Prior(rate=0.03, events=5.0, effect_events=20.0))
    refunded_1h: float = 0.15
    refunded_7d: float = 0.25
    refund_orders: float = 20.0  # as firmly as by so many orders
    value_orders: float = 5.0


class Predictor:
    """Predicted GMV of a seen impression, [items, cells], and the shares of it that will be kept.

    `learn` takes facts (each once) as they are received; `refit` makes the tables from everything learnt before
    `now`. The tables are only read in between.
    """

    def __init__(self, space: Space, priors: Priors | None = None, bias: float = 1.0) -> None:
        """`bias`: a factor on every predicted GMV, to see what wrong predictions do; 1 is none."""
        self.space, self.bias = space, bias
        self.priors = priors or Priors()
        self.price = space.of_items(space.price)
        shape = (space.items, space.cells)
        self.impressions, self.clicks = np.zeros(shape), np.zeros(shape)
        self.creatives = Creatives(space)
        self.matured_clicks, self.orders = np.zeros(shape), np.zeros(shape)
        self.recent_clicks = Recent("id", "item", "cell")
        self.recent_conversions = Recent("delay", "live")
        self.recent_orders = Recent("id", "item", "amount", "refunded_1h", "refunded_7d")
        self.delay = DelayCurve.start()
        self.order_count, self.order_value = np.zeros(space.items), np.zeros(space.items)
        self.aged = {name: np.zeros((space.items, 2)) for name in ("1h", "7d")}  # GMV, refunded
        self.drift = np.ones(space.items)  # what the last refit multiplied the predictions of the past by
        self._tabulate(0)

    def learn(self, facts: FactBatch) -> None:
        """Take in facts received since the last call; orders must be attributed already."""
        np.add.at(self.impressions, self._where(facts[Kind.IMPRESSION]), 1.0)
        for name, kind in (("impressions", Kind.IMPRESSION), ("clicks", Kind.CLICK)):
            item, cell = self._where(facts[kind])
            self.creatives.learn(name, facts[kind]["creative_id"].to_numpy(), self.space.live(item), cell)
        self._learn_clicks(facts[Kind.CLICK])
        self._learn_orders(facts[Kind.ORDER])
        self._learn_refunds(facts[Kind.REFUND])

    def refit(self, now: int) -> None:
        """Make the tables anew from what has been learnt, weighing young clicks by the share expected to be known."""
        before = self._predicted_so_far()
        self._mature(now)
        self._tabulate(now)
        self.drift = np.asarray(self._predicted_so_far() / before, float)

    def _predicted_so_far(self) -> Float:
        """[items] what the tables say of everything that has been shown."""
        return np.asarray((self.gmv * (self.creatives.weighed(self.impressions) + _UNSEEN)).sum(axis=1), float)

    def _tabulate(self, now: int) -> None:
        exposure = self.matured_clicks.copy()
        told = self.recent_conversions
        self.delay.refit(told["delay"], now - told["at"], told["live"])
        weight = self.delay.reported(now - self.recent_clicks["at"], self.space.live(self.recent_clicks["item"]))
        np.add.at(exposure, (self.recent_clicks["item"], self.recent_clicks["cell"]), weight)
        self.click_rate = self._click_rate()
        self.order_rate = rates(exposure, self.orders, self.space, self.priors.order)
        known = self.priors.value_orders
        self.order_mean = (self.order_value + known * self.price) / (self.order_count + known)
        self.gmv = self.bias * self.click_rate * self.order_rate * self.order_mean[:, None]
        young = self._older_than(now - REFUND_WINDOW_1H)
        self.kept_1h = self._kept(self.aged["1h"] + young, self.priors.refunded_1h)
        self.kept_7d = np.minimum(self.kept_1h, self._kept(self.aged["7d"], self.priors.refunded_7d))

    def _click_rate(self) -> Float:
        """[items, cells] of a creative with effect 1, the effects being made anew."""
        overall = rates(self.impressions, self.clicks, self.space, self.priors.click)
        if not len(self.creatives.ids):
            return overall
        self.creatives.refit(overall)
        return rates(self.creatives.weighed(self.impressions), self.clicks, self.space, self.priors.click)

    def doubt(self) -> Float:
        """[items] relative standard error of an item's predicted GMV: few orders, much doubt."""
        return np.asarray(1.0 / np.sqrt(self.orders.sum(axis=1) + self.priors.order.events), float)

    def _where(self, facts: pa.Table) -> tuple[Int, Int]:
        cell = self.space.cell(*(facts[name].to_numpy() for name in ("placement", "category", "audience")))
        return self._item(facts), cell

    def _item(self, facts: pa.Table) -> Int:
        return self.space.item(facts["product_id"].to_numpy(), facts["room_id"].to_numpy() >= 0)

    def _learn_clicks(self, clicks: pa.Table) -> None:
        item, cell = self._where(clicks)
        np.add.at(self.clicks, (item, cell), 1.0)
        at, ids = clicks["at"].to_numpy(), clicks["id"].to_numpy()
        self.recent_clicks.add({"at": at, "id": ids, "item": item, "cell": cell})

    def _learn_orders(self, orders: pa.Table) -> None:
        amount, at = orders["amount"].to_numpy(), orders["at"].to_numpy()
        item = self._item(orders)
        np.add.at(self.order_count, item, 1.0)
        np.add.at(self.order_value, item, amount.astype(float))
        nothing = np.zeros(len(at), np.int64)
        ids = orders["id"].to_numpy()
        rows = {"at": at, "id": ids, "item": item, "amount": amount}
        self.recent_orders.add({**rows, "refunded_1h": nothing, "refunded_7d": nothing})
        click = self.recent_clicks.find("id", orders["click_id"].to_numpy())
        found = click[click >= 0]
        where = self.recent_clicks["item"][found], self.recent_clicks["cell"][found]
        np.add.at(self.orders, where, 1.0)
        clicked_at = self.recent_clicks["at"][found]
        rows = {"at": clicked_at, "delay": at[click >= 0] - clicked_at, "live": self.space.live(where[0])}
        self.recent_conversions.add(rows)

    def _learn_refunds(self, refunds: pa.Table) -> None:
        row = self.recent_orders.find("id", refunds["order_id"].to_numpy())
        delay = refunds["at"].to_numpy() - refunds["order_at"].to_numpy()
        amount = refunds["amount"].to_numpy()
        for name, window in (("refunded_1h", REFUND_WINDOW_1H), ("refunded_7d", REFUND_WINDOW_7D)):
            within = (row >= 0) & (delay <= window)
            np.add.at(self.recent_orders[name], row[within], amount[within])

    def _mature(self, now: int) -> None:
        clicks = self.recent_clicks.leave(now - CONVERSION_WINDOW)
        np.add.at(self.matured_clicks, (clicks["item"], clicks["cell"]), 1.0)
        conversions = self.recent_conversions.leave(now - CONVERSION_WINDOW)
        self.delay.add(conversions["delay"], conversions["live"])
        orders = self.recent_orders.leave(now - REFUND_WINDOW_7D - REFUND_WINDOW_1H)
        for name in self.aged:
            for column, values in enumerate((orders["amount"], orders[f"refunded_{name}"])):
                np.add.at(self.aged[name][:, column], orders["item"], values.astype(float))

    def _older_than(self, before: int) -> Float:
        """[items, 2] GMV and refunds within an hour of the waiting orders that are past their first hour."""
        old = self.recent_orders["at"] < before
        sums = np.zeros((self.space.items, 2))
        for column, name in enumerate(("amount", "refunded_1h")):
            np.add.at(sums[:, column], self.recent_orders["item"][old], self.recent_orders[name][old].astype(float))
        return sums

    def _kept(self, sums: Float, prior: float) -> Float:
        strength = self.priors.refund_orders * self.price
        overall = (sums[:, 1].sum() + prior * strength.mean()) / (sums[:, 0].sum() + strength.mean())
        return np.asarray(1.0 - (sums[:, 1] + overall * strength) / (sums[:, 0] + strength), float)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything learnt, as arrays; `restore` goes on exactly from there."""
        state: dict[str, npt.NDArray[np.generic]] = {name: getattr(self, name) for name in _ARRAYS}
        for name in _RECENT:
            state |= {f"{name}.{column}": values for column, values in getattr(self, name).columns.items()}
        state |= {f"aged.{name}": sums for name, sums in self.aged.items()}
        state |= {f"creatives.{name}": held for name, held in self.creatives.snapshot().items()}
        return {name: values.copy() for name, values in (state | {"delay": self.delay.counts, "gmv": self.gmv}).items()}

    def restore(self, state: dict[str, npt.NDArray[np.generic]], now: int) -> None:
        """Go on from a snapshot, the tables made for `now`. Nothing matures before what came meanwhile is learnt."""
        for name in _ARRAYS:
            setattr(self, name, np.array(state[name], float))
        for name in _RECENT:
            recent: Recent = getattr(self, name)
            recent.columns = {column: np.array(state[f"{name}.{column}"], np.int64) for column in recent.columns}
        self.aged = {name: np.array(state[f"aged.{name}"], float) for name in self.aged}
        self.delay.counts = np.array(state["delay"], float)
        self.creatives.restore({name: state[f"creatives.{name}"] for name in _CREATIVES})
        self._tabulate(now)
        self.gmv = np.array(state["gmv"], float)
        self.creatives.effect = np.array(state["creatives.effect"], float)


_UNSEEN = 1e-3  # what a cell weighs in which an item was never shown
_ARRAYS = ("impressions", "clicks", "matured_clicks", "orders", "order_count", "order_value")
_CREATIVES = ("impressions", "clicks")
_RECENT = ("recent_clicks", "recent_conversions", "recent_orders")
