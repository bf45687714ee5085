"""What a marketplace keeps of its goods and incentives: products with their shops, and rules, append-only (SPEC 10).

A rule once entered stays; what replaces it is another, in force since later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.ids import stable_id
from qianheng.incentives.coupons import Coupon
from qianheng.incentives.services import Instalment, Insurance, Services
from qianheng.incentives.terms import Commission, ServiceFee, Terms
from qianheng.measures.worth import UnitCosts
from qianheng.store.database import insert_unless_there, metadata

PRODUCT = sa.Table(
    "product",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("shop_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
)
RULE = sa.Table(
    "incentive_rule",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("product_id", sa.BigInteger),
    sa.Column("body", sa.JSON, nullable=False),
)
FEE, COMMISSION, COUPON, SERVICES, PROGRAMME = "service_fee", "commission", "coupon", "services", "programme"
COSTS = "unit_costs"


class Product(NamedTuple):
    """A product that is sold: whose it is and what it is called."""

    id: int
    shop_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The incentives of a marketplace; `creators`: names by room, `programme`: the name of the subsidy programme,
    `costs`: what shops state of their products, by product.
    """

    terms: Terms
    coupons: tuple[Coupon, ...] = ()
    services: Mapping[int, Services] | None = None  # by product, of those that have some
    creators: Mapping[int, str] | None = None
    programme: str | None = None
    costs: Mapping[int, UnitCosts] | None = None


def enter(connection: Connection, products: Iterable[Product], rules: Rules) -> None:
    """Keep products and rules; what is kept already stays as it is."""
    if rows := [product._asdict() for product in products]:
        connection.execute(insert_unless_there(connection, PRODUCT), rows)
    if rows := list(_rows(rules)):
        connection.execute(insert_unless_there(connection, RULE), rows)


def products(connection: Connection) -> dict[int, Product]:
    """The products kept, by id."""
    query = sa.select(PRODUCT.c.id, PRODUCT.c.shop_id, PRODUCT.c.name).order_by(PRODUCT.c.id)
    return {row.id: Product(*row) for row in connection.execute(query)}


def rules(connection: Connection) -> Rules:
    """The rules kept."""
    kept: defaultdict[str, list[tuple[int | None, dict[str, Any]]]] = defaultdict(list)
    for row in connection.execute(sa.select(RULE.c.kind, RULE.c.product_id, RULE.c.body).order_by(RULE.c.id)):
        kept[row.kind].append((row.product_id, row.body))
    fees: defaultdict[int, list[ServiceFee]] = defaultdict(list)
    for product_id, body in kept[FEE]:
        fees[product_id or 0].append(_fee(body))
    return Rules(
        terms=Terms(fees, [Commission(**_commission(body)) for _, body in kept[COMMISSION]]),
        coupons=tuple(_coupon(body) for _, body in kept[COUPON]),
        services={product_id or 0: _services(body) for product_id, body in kept[SERVICES]},
        creators={body["room_id"]: body["creator"] for _, body in kept[COMMISSION] if body.get("creator")},
        programme=next((body["name"] for _, body in kept[PROGRAMME]), None),
        costs={product_id or 0: _costs(body) for product_id, body in kept[COSTS]},
    )


def _rows(rules: Rules) -> Iterable[dict[str, Any]]:
    names = rules.creators or {}
    for product_id, fees in rules.terms.fees.items():
        yield from (_row(FEE, asdict(fee), product_id) for fee in fees)
    for lines in rules.terms.commissions.values():
        yield from (_row(COMMISSION, asdict(line) | {"creator": names.get(line.room_id)}) for line in lines)
    yield from (_row(COUPON, asdict(coupon)) for coupon in rules.coupons)
    for product_id, services in (rules.services or {}).items():
        yield _row(SERVICES, asdict(services), product_id)
    for product_id, costs in (rules.costs or {}).items():
        yield _row(COSTS, asdict(costs), product_id)
    if rules.programme is not None:
        yield _row(PROGRAMME, {"name": rules.programme})


def _row(kind: str, body: dict[str, Any], product_id: int | None = None) -> dict[str, Any]:
    plain = _plain(body)
    return {"id": stable_id("rule", kind, product_id, plain), "kind": kind, "product_id": product_id, "body": plain}


def _plain(value: Any) -> Any:
    """As JSON holds it: exact numbers as text."""
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    if isinstance(value, tuple | frozenset):
        return sorted(value) if isinstance(value, frozenset) else [_plain(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


def _fee(body: dict[str, Any]) -> ServiceFee:
    reduced = body["super_plan"]
    shares = {"category": Decimal(body["category"]), "super_plan": None if reduced is None else Decimal(reduced)}
    return ServiceFee(**{**body, **shares})


def _commission(body: dict[str, Any]) -> dict[str, Any]:
    known = {name: held for name, held in body.items() if name != "creator"}
    return known | {"own": Decimal(body["own"]), "promoted": Decimal(body["promoted"])}


def _coupon(body: dict[str, Any]) -> Coupon:
    return Coupon(**{**body, "shop_share": Decimal(body["shop_share"]), "product_ids": frozenset(body["product_ids"])})


def _costs(body: dict[str, Any]) -> UnitCosts:
    return UnitCosts(
        **{name: Decimal(held) for name, held in body.items() if name != "category"}, category=body["category"]
    )


def _services(body: dict[str, Any]) -> Services:
    insured = body["insurance"]
    insurance = None if insured is None else Insurance(**{name: Decimal(held) for name, held in insured.items()})
    parts = tuple(
        Instalment(one["number"], Decimal(one["cost"]), Decimal(one["uptake"])) for one in body["instalments"]
    )
    return Services(insurance, parts, Decimal(body["instalments_conversion"]))
