"""What a member asks about incentives: the rule in force for each product and plan, savings, the programme, coupons.

Answers are plain values as `--json` prints them: money as decimal strings in yuan, shares as decimal strings, times
with their offset, `None` for what is not known. A member sees their own shop's; what the platform has, everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.proceeds import lost_of
from qianheng.actions.subsidy import FUNDING
from qianheng.core.days import microseconds, midnight, moment
from qianheng.core.ids import stable_id
from qianheng.core.money import Micros, ratio_text, yuan
from qianheng.core.plain import Json
from qianheng.incentives.coupons import Coupon
from qianheng.incentives.dues import Flow
from qianheng.incentives.limits import PAGE, target_limit
from qianheng.incentives.terms import Commission, Rate, Rule, Sale, Terms
from qianheng.ledger.transfers import AccountKind, account
from qianheng.measures.days import Days, date_of
from qianheng.measures.query import coupons_given, plan_product, refunded_order
from qianheng.plans.plan import Plan, PlanStatus
from qianheng.store import incentives, ledger, notices, plans
from qianheng.store.incentives import Product, Rules
from qianheng.store.notices import Notice

BEGINNING = date(2000, 1, 1)  # no marketplace here is older


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a member may see: products, plans and rules, and what time it is."""

    goods: Mapping[int, Product]
    plans: Mapping[int, Plan]
    rules: Rules
    desk: Desk

    @property
    def at(self) -> int:
        """Now, UTC microseconds."""
        return microseconds(self.desk.now)

    @property
    def days(self) -> Days:
        """Every day up to today, in the desk's zone."""
        return Days(BEGINNING, self.desk.now.date() + timedelta(days=1), str(self.desk.now.tzinfo))

    def rows(self, connection: Connection, query: str) -> list[dict[str, int]]:
        """The answer of a query on the facts known now."""
        return self.desk.lake.query(connection, query, as_of=self.desk.now).to_pylist()


def shelf(connection: Connection, desk: Desk) -> Shelf:
    """What the member at the desk may see."""
    goods = {key: one for key, one in incentives.products(connection).items() if desk.actor.sees(one.shop_id)}
    mine = {kept.plan.id: kept.plan for kept in plans.load_all(connection, desk.actor.shop_id)}
    return Shelf(goods, mine, incentives.rules(connection), desk)


def show(connection: Connection, desk: Desk) -> Json:
    """Which rule is in force for each product and each plan, and since when."""
    seen = shelf(connection, desk)
    living = [plan for plan in seen.plans.values() if plan.status is not PlanStatus.DELETED]
    return {
        "products": [_product(seen, product) for product in seen.goods.values()],
        "plans": [_plan(seen, plan) for plan in living],
        "creators": list(_creators(seen)),
    }


def tell_limit(connection: Connection, plan: Plan, terms: Terms, at: datetime) -> None:
    """Tell the shop of a new plan, once, if its target is too high for the commission it owes."""
    limit = target_limit(terms, plan, microseconds(at))
    if limit is not None and limit.too_high:
        key = stable_id("commission_limit", plan.id, at)
        notices.tell(connection, Notice(key, at, plan.shop_id, limit.kind, f"plan {plan.id}", limit.values(plan.name)))


def savings(connection: Connection, desk: Desk) -> Json:
    """What the reduced service fee of super plans has saved, by plan and product: estimated on all that was paid."""
    seen = shelf(connection, desk)
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0] * 4)
    for row in seen.rows(connection, plan_product(seen.days)):
        if row["product_id"] in seen.goods and row["plan_id"] in seen.plans:
            full = _by_category(seen, row)
            sums = found[row["plan_id"], row["product_id"]]
            for place, value in enumerate((row["orders"], row["gmv"], full, row["service_fee"])):
                sums[place] += value
    rows = [_saved(seen, key, sums) for key, sums in found.items() if sums[2] > sums[3]]
    total = sum(full - fee for _, _, full, fee in found.values())
    return {"saved_estimated": yuan(total), "rows": rows}


def subsidy(connection: Connection, desk: Desk) -> Json:
    """The subsidy programme: funded, spent (settled), promised, held for today's coupons, and left."""
    rules, kept = incentives.rules(connection), ledger.balance(connection, account(AccountKind.COUPONS).id)
    lines = ledger.statement(connection, account(AccountKind.COUPONS).id)
    spent = -sum(line.change for line in lines if line.transfer.reason == Flow.SUBSIDY)
    pending = ledger.unsettled(connection, account(AccountKind.COUPONS).id, [Flow.SUBSIDY])
    promised = sum(transfer.amount for transfer in pending)
    return {
        "programme": rules.programme,
        "funded": yuan(sum(line.change for line in lines if line.transfer.reason == FUNDING)),
        "spent": yuan(spent),
        "promised": yuan(promised),
        "held": yuan(kept.reserved - promised),
        "left": yuan(kept.available),
        "empty": kept.available < min((one.of_platform for one in rules.coupons if one.of_platform), default=1),
    }


def coupons(connection: Connection, desk: Desk) -> list[Json]:
    """Each coupon: its terms, what has been given of its budget, what refunds took back, what is left."""
    seen = shelf(connection, desk)
    given = {row["coupon_id"]: row for row in seen.rows(connection, coupons_given(seen.days))}
    back: defaultdict[int, Micros] = defaultdict(int)
    for row in seen.rows(connection, refunded_order(seen.days)):
        lost = lost_of(row)
        back[row["coupon_id"]] += lost.coupon + lost.subsidy
    mine = (coupon for coupon in seen.rules.coupons if coupon.product_ids & seen.goods.keys())
    return [_coupon(seen, coupon, given.get(coupon.id, {}), back[coupon.id]) for coupon in mine]


def _product(seen: Shelf, product: Product) -> Json:
    services = (seen.rules.services or {}).get(product.id)
    insured = None if services is None or services.insurance is None else services.insurance
    sale = Sale(product.id, PAGE, True, seen.at)
    return {
        "product_id": product.id,
        "name": product.name,
        "shop_id": product.shop_id,
        "service_fee": _rate(seen, seen.rules.terms.service_fee(sale, None)),
        "insurance": insured and {"premium": str(insured.premium), "covers": str(insured.covers)},
        "instalments": [
            {"number": one.number, "cost": str(one.cost), "uptake": str(one.uptake)}
            for one in (services.instalments if services else ())
        ],
    }


def _plan(seen: Shelf, plan: Plan) -> Json:
    terms, limit = seen.rules.terms, target_limit(seen.rules.terms, plan, seen.at)
    sales = [Sale(product_id, PAGE, True, seen.at) for product_id in plan.product_ids]
    fees = [_rate(seen, terms.service_fee(sale, plan.kind)) | {"product_id": sale.product_id} for sale in sales]
    return {
        "plan_id": plan.id,
        "name": plan.name,
        "kind": plan.kind,
        "service_fees": fees,
        "commission": _rate(seen, Rate(plan.commission_rate, Rule.PLAN if plan.commission_rate else Rule.NONE)),
        "highest_commission": None if limit is None else _share(limit.rate),
        "target_below": None if limit is None else ratio_text(limit.below),
        "target": None if plan.target is None else _share(plan.target),
        "target_too_high": limit is not None and limit.too_high,
    }


def _creators(seen: Shelf) -> Iterator[Json]:
    names = seen.rules.creators or {}
    for room_id, product_id in seen.rules.terms.commissions:
        told = seen.rules.terms.of_creator(room_id, product_id or PAGE, seen.at)
        if told is not None and (product_id is None or product_id in seen.goods):
            yield _commission(seen, told) | {"creator": names.get(room_id)}


def _commission(seen: Shelf, told: Commission) -> Json:
    shares = {"own": _share(told.own), "promoted": _share(told.promoted)}
    return {"room_id": told.room_id, "product_id": told.product_id, **shares, "since": _since(seen, told.since)}


def _by_category(seen: Shelf, row: Mapping[str, int]) -> Micros:
    """What the category's fee on the orders of a row, which are of one day, would have been."""
    at = microseconds(midnight(date_of(row["day"]), seen.days.timezone))
    sale = Sale(row["product_id"], row["room_id"], True, at)
    return seen.rules.terms.service_fee(sale, None).of(row["gmv"])


def _saved(seen: Shelf, key: tuple[int, int], sums: Iterable[int]) -> Json:
    (plan_id, product_id), (orders, gmv, full, fee) = key, sums
    return {
        "plan_id": plan_id,
        "plan": seen.plans[plan_id].name,
        "product_id": product_id,
        "product": seen.goods[product_id].name,
        "orders": orders,
        "gmv": yuan(gmv),
        "fee_by_category": yuan(full),
        "fee_estimated": yuan(fee),
        "saved_estimated": yuan(full - fee),
    }


def _coupon(seen: Shelf, coupon: Coupon, given: Mapping[str, int], back: Micros) -> Json:
    spent = given.get("coupon", 0) + given.get("subsidy", 0)
    return {
        "coupon_id": coupon.id,
        "name": coupon.name,
        "value": yuan(coupon.value),
        "threshold": yuan(coupon.threshold),
        "shop_share": _share(coupon.shop_share),
        "per_user": coupon.per_user or None,
        "first": moment(coupon.first, seen.days.timezone).isoformat(),
        "until": moment(coupon.until, seen.days.timezone).isoformat(),
        "orders": given.get("orders", 0),
        "users": given.get("users", 0),
        "budget": yuan(coupon.budget),
        "given": yuan(spent),
        "of_shop": yuan(given.get("coupon", 0)),
        "of_platform": yuan(given.get("subsidy", 0)),
        "back_by_refunds": yuan(back),
        "left": yuan(coupon.budget - spent),
        "state": _state(coupon, coupon.budget - spent, seen.at),
    }


def _state(coupon: Coupon, left: Micros, at: int) -> str:
    if at < coupon.first:
        return "to_come"
    if at >= coupon.until:
        return "over"
    return "running" if left >= coupon.value else "used_up"


def _rate(seen: Shelf, rate: Rate) -> Json:
    return {"share": _share(rate.share), "rule": rate.rule, "since": _since(seen, rate.since)}


def _since(seen: Shelf, at: int) -> str | None:
    return moment(at, seen.days.timezone).isoformat() if at else None


def _share(share: Decimal) -> str:
    return f"{share.normalize():f}"
