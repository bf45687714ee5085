"""Shops of different kinds, each with its market: a scenario as a function of (set, number), for `benchmarks.quarter`.

What differs: goods (category, order value 30–1,500 元, margin 15–60 %, refund habits, 3–60 products), what is promoted
(products, a live room, both), demand without ads, rivals, what happens in the quarter (11.11 and 12.12, drifting
tastes, rivals that enter, creatives that tire, refunds that rise), and how a merchant has set it up: the goal, a target
that is right, too high or too low for these margins, a budget that is right, too small or too large for this market.
The market itself is cheap: a few thousand requests a day of buyers who order readily, so that plans have dozens of
orders a day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

FIRST_DAY = date(2025, 10, 1)
PLACEMENTS = {  # readiness to order after a click, and with the usual clicks and shares: orders a request
    "feed": 0.12,
    "live_square": 0.165,
    "mall": 0.24,
    "search": 0.375,
}
ORDERS_A_REQUEST = 0.012  # when every request is won: with the buyers in the market, who look around
REQUESTS, POPULATION = 8000, 8000
CATEGORIES = {  # usual order value (元), refunds within the hour and within the week, of all that is paid
    "womenswear": (110, 0.16, 0.20),
    "menswear": (110, 0.11, 0.13),
    "beauty": (120, 0.08, 0.06),
    "food": (50, 0.05, 0.02),
    "home": (80, 0.07, 0.07),
    "electronics": (300, 0.08, 0.07),
    "baby": (90, 0.06, 0.05),
    "jewellery": (200, 0.14, 0.16),
}
FEE, SHIPPING, RETURNED = 0.05, 5.0, 6.0  # of what is sold; 元 an order, with its packaging; 元 a return
TARGETS = {"right": 1.5, "too low": 0.85, "too high": 2.8}  # over the ROI that breaks even
BUDGETS = {"right": 1.0, "too small": 0.3, "too large": 3.0}  # over what spending to break even might come to

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as drawn: what it is (each a way to tell shops apart), and its scenario as a table."""

    name: str
    kinds: Mapping[str, str]
    scenario: Table

    @property
    def first_day(self) -> date:
        """Its first delivery day."""
        return FIRST_DAY

    @property
    def days(self) -> int:
        """How many delivery days it lives."""
        return int(self.scenario["days"])

    def write(self, folder: Path, extra: Mapping[str, Any] | None = None) -> Path:
        """The scenario as a file in a folder; `extra` tables are added to it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.toml"
        path.write_text(toml({**self.scenario, **(extra or {})}), "utf-8")
        return path


def shop(of: str, number: int, days: int = 90) -> Shop:
    """The shop of that number in a set ("held-out", "training"): the same again whenever it is asked for."""
    draw = np.random.default_rng([sum(of.encode()), number])
    goods = _goods(draw)
    sells = str(draw.choice(["products", "live", "both"], p=[0.5, 0.2, 0.3]))
    target, budget = list(TARGETS)[number % 3], list(BUDGETS)[number // 3 % 3]
    goal = str(draw.choice(["payment", "net"]))
    products = _products(goods, draw)
    happens = _happens(draw, days)
    breakeven = 1 / goods.margin_of(goal)
    worth = REQUESTS * ORDERS_A_REQUEST * goods.price
    spend = BUDGETS[budget] * worth * goods.margin * 0.4
    wanted = _Set(goal, round(max(TARGETS[target] * breakeven, 1.05), 1), max(round(spend, -1), 100.0))
    scenario: Table = {
        "name": f"{of}-{number:02d}",
        "title": {"en": f"Shop {number} of {of}", "zh": f"{of} 第 {number} 家店"},
        "about": {"en": "A small shop of a study.", "zh": "研究用小店。"},
        "first_day": FIRST_DAY.isoformat(),
        "days": days,
        "opportunities_per_day": REQUESTS,
        "step_minutes": 30,
        "seed": number + 1,
        "journal": 0.0,
        "ad_account": {"id": 1, "top_up": round(spend * days * 6 + 10_000)},
        "buyers": {"population": POPULATION, "cells": 12},
        "placements": {name: {"order": order} for name, order in PLACEMENTS.items()},
        "categories": {goods.category: {"price": goods.price}},
        "shops": [{"id": 1, "name": "小店", "hold_out": 0, "products": products}],
        "rivals": _rivals(worth * goods.margin, goods, draw) + happens.rivals(worth * goods.margin, goods),
        "seasons": happens.seasons(days),
        "faults": happens.faults(),
        "promotions": [_days(date(2025, 11, 8), date(2025, 11, 11)), _days(date(2025, 12, 10), date(2025, 12, 12))],
    }
    scenario |= _plans(sells, wanted, len(products), draw)
    kinds = {
        "sells": sells,
        "goal": goal,
        "target": target,
        "budget": budget,
        "margin": "below 30 %" if goods.margin < 0.3 else "30 % and more",
        "order value": "below 100 yuan" if goods.price < 100 else "100 yuan and more",
        "products": "below 10" if len(products) < 10 else "10 and more",
        "demand": "falls" if happens.drift < 0 else "rises" if happens.drift else "steady",
        "creatives": "tire" if happens.tired else "as they are",
        "refunds": "rise" if happens.refunds else "as usual",
        "rivals": "one enters" if happens.enters else "as usual",
    }
    return Shop(scenario["name"], kinds, scenario)


@dataclass(frozen=True, slots=True)
class _Goods:
    """What is sold: `margin` is the contribution before spend over what refunds have left."""

    category: str
    price: float
    margin: float
    refund: float  # factor on the refund habits of the category

    @property
    def kept(self) -> tuple[float, float]:
        """What refunds of an hour and of a week leave of what was paid."""
        _, soon, week = CATEGORIES[self.category]
        return 1 - soon * self.refund, 1 - (soon + week) * self.refund

    def margin_of(self, goal: str) -> float:
        """The contribution over what a goal counts."""
        net, settled = self.kept
        return self.margin * settled / (net if goal == "net" else 1.0)


@dataclass(frozen=True, slots=True)
class _Set:
    """How a merchant has set a plan up."""

    goal: str
    target: float
    budget: float


def _goods(draw: np.random.Generator) -> _Goods:
    category = str(draw.choice(list(CATEGORIES)))
    price = float(np.clip(CATEGORIES[category][0] * np.exp(draw.normal(0, 0.7)), 30, 1500))
    refund = float(np.exp(draw.uniform(np.log(0.6), np.log(1.5))))
    return _Goods(category, round(price), float(draw.uniform(0.15, 0.60)), refund)


def _products(goods: _Goods, draw: np.random.Generator) -> list[Table]:
    """A few that sell and a tail; each of a price near the shop's, and a cost that leaves about its margin."""
    count = int(np.exp(draw.uniform(np.log(3), np.log(61))))
    demand = POPULATION / 1000 * draw.uniform(0.2, 2.5)  # orders a day without ads, all products
    share = np.arange(1, count + 1) ** -1.0
    found = []
    for number in range(count):
        price = round(goods.price * float(np.exp(draw.normal(0, 0.25))))
        sent_back = 1 - goods.kept[1]
        left = price * (1 - goods.margin - FEE) - (SHIPPING + RETURNED * sent_back) / (1 - sent_back)
        product = {
            "id": 101 + number,
            "name": f"商品{number + 1}",
            "category": goods.category,
            "price": price,
            "organic": round(demand * float(share[number] / share.sum()), 3),
            "product_cost": round(max(left, 0.1 * price), 2),
            "refund": round(goods.refund, 3),
            "appeal": round(float(np.exp(draw.normal(0, 0.2))), 3),
            "conversion": round(float(np.exp(draw.normal(0, 0.2))), 3),
        }
        found.append(product)
    return found


def _plans(sells: str, wanted: _Set, products: int, draw: np.random.Generator) -> Table:
    """One plan for products, one for a live room, or both, which then share the budget."""
    ids = list(range(101, 101 + products))
    plans = []
    part = 0.6 if sells == "both" else 1.0
    if sells != "live":
        plans.append(_plan(1, "推商品", "product", wanted, round(wanted.budget * part)))
    if sells == "products":
        return {"plans": plans}
    evening = bool(draw.random() < 0.6)
    on_air = [{"on": "18:00", "off": "23:00"}] if evening else [{"on": "09:00", "off": "21:00"}]
    room = {"id": 1, "name": "直播间", "products": ids[: max(3, products // 2)], "sessions": on_air}
    share = 1 - part if sells == "both" else 1.0
    plans.append(_plan(2, "推直播间", "live", wanted, round(wanted.budget * share)) | {"room": 1, "counting": "all"})
    return {"plans": plans, "rooms": [room]}


def _plan(number: int, name: str, kind: str, wanted: _Set, budget: float) -> Table:
    told = {"id": number, "shop": 1, "name": name, "kind": kind}
    return told | {"goal": wanted.goal, "target": wanted.target, "budget_daily": max(budget, 50)}


def _rivals(pie: float, goods: _Goods, draw: np.random.Generator) -> list[Table]:
    """Regulars, whose money is a share of `pie`: what breaking even would pay for all requests."""
    strength, money = np.exp(draw.normal(0, 0.35)), np.exp(draw.normal(0, 0.4))
    group = {"name": "regulars", "count": 8, "value": round(_value_of(goods) * float(strength), 4), "spread": 0.35}
    return [group | {"budget_daily": round(pie * 0.08 * float(money), 1)}]


def _value_of(goods: _Goods) -> float:
    """What an ordinary impression is worth at the goods' margin, 元."""
    return 0.005 * goods.price * goods.margin


@dataclass(frozen=True, slots=True)
class _Happens:
    """What happens in the quarter: on which day (0: never) a rival enters, creatives begin to tire, refunds to rise,
    and by how much; how demand drifts, and how much the goods are bought in promotions.
    """

    drift: float
    loved: float
    enters: int
    tired: int
    refunds: int
    size: float

    def rivals(self, pie: float, goods: _Goods) -> list[Table]:
        """Who enters."""
        if not self.enters:
            return []
        newcomer = {"name": "newcomer", "count": 1, "value": round(2 * _value_of(goods), 4)}
        return [newcomer | {"budget_daily": round(pie * 0.25, 1), "enters_day": self.enters, "enters_hour": 10}]

    def faults(self) -> list[Table]:
        """What goes wrong, within three days or three weeks."""
        found = []
        if self.tired:
            found.append(_fault("tired_creative", self.tired, 0.8 - 0.3 * self.size, over=480))
        if self.refunds:
            found.append(_fault("refund_wave", self.refunds, 1.4 + 0.6 * self.size, over=72))
        return found

    def seasons(self, days: int) -> list[Table]:
        """The calendar laid over a drift: before 11.11 people wait, in those days they buy, after them they have."""
        calendar = [(1, 0, 0), (31, 0, 0), (37, -0.15, 0.1), (39, 0.35, 0.35), (42, 0.6, 0.5), (43, -0.2, 0.0)]
        calendar += [(52, 0, 0), (69, 0, 0), (71, 0.2, 0.2), (73, 0.3, 0.25), (74, -0.1, 0), (80, 0, 0), (days, 0, 0)]
        return [self._season(*told, days) for told in calendar if told[0] <= days]

    def _season(self, day: int, wish: float, crowd: float, days: int) -> Table:
        moved = self.drift * (day - 1) / max(days - 1, 1)
        factors = {"traffic": crowd * 0.5, "orders": wish * self.loved + moved, "rivals": crowd + moved * 0.5}
        return {"day": day} | {name: round(float(np.exp(value)), 4) for name, value in factors.items()}


def _happens(draw: np.random.Generator, days: int) -> _Happens:
    chances, drift = draw.random(3), float(draw.choice([0.0, 0.0, 0.35, -0.35]))
    when = draw.integers(15, max(days - 20, 16), 3) * (chances < (0.3, 0.35, 0.2))
    enters, tired, refunds = (int(day) for day in when)
    return _Happens(drift, float(draw.uniform(0.5, 1.3)), enters, tired, refunds, float(draw.random()))


def _fault(kind: str, day: int, size: float, over: float) -> Table:
    return {"kind": kind, "day": day, "time": "00:00", "size": round(size, 3), "over": over}


def _days(first: date, last: date) -> Table:
    return {"first": (first - FIRST_DAY).days + 1, "last": (last - FIRST_DAY + timedelta(days=1)).days}


def toml(table: Mapping[str, Any]) -> str:
    """A table as TOML text, what lies deeper in inline tables."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(held)}" for key, held in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
