"""What the owner says of the shop once, in `QIANHENG_HOME/shop.toml`: what no report tells (SPEC 13.2).

A plan's settings are an append-only list of what held since which day; what a run knows itself goes before what is said
here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from qianheng.core.days import midnight, parse_day
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.money import decimal, micros
from qianheng.core.tables import build, read_toml
from qianheng.measures.history import About, PlanHistory, Setting, ShopHistory, Subject
from qianheng.plans.plan import BidMode, Goal, PlanKind, PlanStatus
from qianheng.store.database import home_path
from qianheng.store.files import write_whole

FILE = "shop.toml"
ROI_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class SaidSetting:
    """What a plan was set to since the beginning of a day; money in yuan."""

    since: date
    goal: Literal["payment", "net", "settled", "overall", "profit"] = "net"
    bid_mode: Literal["target_roi", "max_delivery"] = "target_roi"
    target: Decimal | None = None
    budget_daily: Decimal | None = None
    status: Literal["active", "paused"] = "active"

    def __post_init__(self) -> None:
        raise_together([*_above_zero(self, "target", ROI_AT_MOST), *_above_zero(self, "budget_daily")])


@dataclass(frozen=True, slots=True)
class SaidPlan:
    """A plan elsewhere: the vendor's id is its key; `policy` names what guarantees it."""

    name: str = ""
    kind: Literal["product", "live", "super"] = "product"
    policy: str | None = None
    settings: tuple[SaidSetting, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnShop:
    """What an owner says of a shop: of the one of that `id`, of any if "". `margin` is the contribution before spend
    as a share of settled GMV, `opened` the day the ad account was opened, `balance` what it may spend (yuan).
    """

    id: str = ""
    name: str = ""
    opened: date | None = None
    products: int | None = None
    margin: Decimal | None = None
    category: str | None = None
    balance: Decimal | None = None
    commission_rate: Decimal | None = None
    plans: dict[str, SaidPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = [*_above_zero(self, "margin", 1), *_above_zero(self, "products")]
        if self.commission_rate is not None and not 0 <= self.commission_rate < 1:
            shares.append(BadInput("shop.not_a_share", place="commission_rate", value=self.commission_rate))
        raise_together(shares)


SAID = tuple(one.name for one in fields(OwnShop) if one.name != "plans")
SAID_OF_PLAN = ("name", "kind", "policy", *(one.name for one in fields(SaidSetting) if one.name != "since"))


def shop_file() -> Path:
    """Where the owner's words are kept."""
    return home_path() / FILE


def own_shop() -> OwnShop:
    """What the owner said; nothing yet: an `OwnShop` that knows nothing. Unknown key or wrong value: BadInput."""
    path = shop_file()
    return build(OwnShop, read_toml(path), str(path)) if path.exists() else OwnShop()


def set_shop(said: Mapping[str, str]) -> OwnShop:
    """Say some fields of the shop ("" forgets one), as a person writes them. What cannot be: BadInput, nothing kept."""
    table = _table(own_shop())
    return _keep(table | _read(said, SAID, OwnShop))


def set_plan(plan_id: str, said: Mapping[str, str], since: str) -> OwnShop:
    """Say what a plan is set to since a day: what is not named stays as it was before. Errors as in `set_shop`."""
    shop, day = own_shop(), parse_day(since, "--since")
    plan = shop.plans.get(plan_id, SaidPlan())
    before = [one for one in plan.settings if one.since <= day][-1:] or [SaidSetting(day)]
    read = _read(said, SAID_OF_PLAN, SaidPlan, SaidSetting)
    of_plan = {name: read.pop(name) for name in ("name", "kind", "policy") if name in read}
    kept = {one.since: _table(one) for one in plan.settings}
    if read:
        kept[day] = _table(before[-1]) | read | {"since": day}
    table = _table(shop)
    table["plans"] = table.get("plans", {}) | {
        plan_id: _table(plan) | of_plan | {"settings": [kept[one] for one in sorted(kept)]}
    }
    return _keep(table)


def completed(known: ShopHistory, said: OwnShop) -> ShopHistory:
    """A shop with what its owner said wherever nothing better is known; what was said of another shop is left out."""
    if said.id not in ("", known.id):
        return known
    margin = None if said.margin is None else Fraction(said.margin)
    balance = None if said.balance is None else micros(str(said.balance))
    told = {**_table(said), "margin": margin, "balance": balance}
    unknown = [name for name in SAID if getattr(known, name) in (None, "")]
    return replace(known, **{name: told[name] for name in unknown if told.get(name) is not None})


def plans_said(said: OwnShop, timezone: str) -> dict[str, PlanHistory]:
    """The plans the owner spoke of, as history tells them."""
    return {plan_id: _plan(plan_id, plan, timezone) for plan_id, plan in said.plans.items()}


def _plan(plan_id: str, plan: SaidPlan, timezone: str) -> PlanHistory:
    settings = tuple(_setting(one, timezone) for one in sorted(plan.settings, key=lambda one: one.since))
    return PlanHistory(Subject(About.PLAN, plan_id, plan.name), PlanKind(plan.kind), plan.policy, settings)


def _setting(said: SaidSetting, timezone: str) -> Setting:
    budget = None if said.budget_daily is None else micros(str(said.budget_daily))
    at = midnight(said.since, timezone)
    return Setting(at, Goal(said.goal), BidMode(said.bid_mode), said.target, budget, PlanStatus(said.status))


def _read(said: Mapping[str, str], known: tuple[str, ...], *kinds: type) -> dict[str, Any]:
    """Fields as written, as TOML would hold them; those that are no field are told together."""
    hints = {one.name: str(one.type) for kind in kinds for one in fields(kind)}
    unknown = [BadInput("shop.unknown_field", place=name, known=", ".join(known)) for name in said if name not in known]
    raise_together(unknown)
    read, faults = dict[str, Any](), list[BadInput]()
    for name, text in said.items():
        try:
            read[name] = _value(hints[name], text)
        except BadInput as error:
            error.at(name)
            faults.append(error)
    raise_together(faults)
    return read


def _value(hint: str, text: str) -> Any:
    if not text:
        return None
    if "Decimal" in hint:
        return decimal(text)
    if "date" in hint:
        return parse_day(text)
    if hint.startswith("int"):
        if not text.isdigit():
            raise BadInput("core.not_a_number", value=text)
        return int(text)
    return text


def _keep(table: Mapping[str, Any]) -> OwnShop:
    kept = {name: value for name, value in table.items() if value is not None}
    shop = build(OwnShop, kept, FILE)
    write_whole(shop_file(), "".join(_toml(_table(shop))).encode())
    return shop


def _table(record: Any) -> dict[str, Any]:
    """A record as a table without what is not known."""
    table: dict[str, Any] = _without_none(asdict(record))
    return table


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(one) for name, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list | tuple) else value


def _toml(table: Mapping[str, Any]) -> Iterator[str]:
    yield from (_line(name, value) for name, value in table.items() if name != "plans")
    for plan_id, plan in table.get("plans", {}).items():
        key = json.dumps(plan_id, ensure_ascii=False)
        yield f"\n[plans.{key}]\n"
        yield from (_line(name, value) for name, value in plan.items() if name != "settings")
        for setting in plan["settings"]:
            yield f"[[plans.{key}.settings]]\n"
            yield from (_line(name, value) for name, value in setting.items())


def _line(name: str, value: Any) -> str:
    told = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return f"{name} = {told}\n"


def _above_zero(record: Any, name: str, most: int | None = None) -> Iterator[BadInput]:
    value = getattr(record, name)
    if value is not None and not (value > 0 and (most is None or value <= most)):
        yield BadInput("shop.out_of_range" if most else "shop.not_above_zero", place=name, value=value, most=most)
