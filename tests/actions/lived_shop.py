"""A shop that may be asked for everything that moves money, through the doors of people and of the close of a day."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from sqlalchemy import Engine

from qianheng.actions import books, claims, close, money, subsidy
from qianheng.actions.desk import Desk
from qianheng.actions.planning import Wanted, change_plan
from qianheng.core.actors import REVIEWER, SYSTEM, Actor, Role
from qianheng.core.days import HOUR, MINUTE, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch, table
from qianheng.facts.schema import SCHEMAS, Channel, Kind
from qianheng.incentives.terms import Terms
from qianheng.ledger.months import Month
from qianheng.plans.boost import Boost, BoostKind
from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.simulator.incentives import Programme
from qianheng.store import incentives, members, plans
from qianheng.store.database import connect, migrate, reading
from qianheng.store.incentives import Product, Rules
from qianheng.store.lake import Lake

FIRST = date(2025, 10, 28)  # a month ends, and a weekend comes in the way
TARGETS = (Decimal("7.5"), Decimal(5), Decimal("3.3"), Decimal("2.6"))
PLAN = Plan(1, 1, 5, "p", PlanKind.PRODUCT, Goal.NET, TARGETS[0], 1500 * YUAN, (11,), status=PlanStatus.ACTIVE)
OTHER = replace(PLAN, id=2, shop_id=2, ad_account_id=6)
OWNER, FINANCE = Actor("owner", Role.OWNER, 1), Actor("chen", Role.FINANCE, 1)
TOPPED_UP, SUBSIDIES = 4000 * YUAN, 10_000 * YUAN


class Killed(BaseException):
    """The process dies before its transaction is committed."""


class Dying:
    """A database at which every transaction is done in full and lost."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def begin(self) -> Iterator[Any]:
        with self._database.begin() as connection:
            yield connection
            raise Killed


class Fact(NamedTuple):
    """What happened, by kind, id and time, and what more is to be said of it."""

    kind: Kind
    id: int
    at: int
    more: dict[str, Any]


class Lived(NamedTuple):
    """What is spent in a day by the plan and by its boost, micro-yuan, and how many orders are sold and sent back."""

    spend: int
    boost: int
    orders: int
    refunded: int


@dataclass
class Shop:
    """One shop with a plan, and another whose money must never move; times run on by a minute an operation."""

    folder: Path
    today: date = FIRST
    minutes: int = 0
    database: Engine = field(init=False)
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.database, self.lake = connect(f"sqlite:///{self.folder / 'run.db'}"), Lake(self.folder / "lake")
        migrate(self.database)

    def found(self) -> None:
        """Open its books: cash, two plans, members, a product, and a programme that gives subsidies."""
        at = midnight(FIRST)
        with self.database.begin() as connection:
            for plan in (PLAN, OTHER):
                books.open_accounts(connection, plan.ad_account_id, TOPPED_UP, at)
                plans.create(connection, plan)
            for member in (OWNER, FINANCE, REVIEWER):
                members.add(connection, member, at)
            programme = Programme("all", Decimal(SUBSIDIES // YUAN))
            incentives.enter(connection, [Product(11, 1, "p")], Rules(Terms({}), programme=programme.name))
            subsidy.fund(connection, programme, at)

    @property
    def now(self) -> datetime:
        return midnight(self.today) + timedelta(minutes=self.minutes)

    def desk(self, actor: Actor, dies: bool = False) -> Desk:
        """Somebody's desk; `dies`: nothing done at it is kept."""
        database = cast(Engine, Dying(self.database)) if dies else self.database
        return Desk(database, self.lake, actor, self.now)

    def do(self, dies: bool, name: str, *arguments: Any) -> Any:
        """Carry out the operation of that name as one of the functions below."""
        return OPERATIONS[name](self, dies, *arguments)

    def version(self) -> int:
        with reading(self.database) as connection:
            return plans.load(connection, PLAN.id).version


def lease(shop: Shop, dies: bool, boosted: bool) -> tuple[int, int]:
    """Hold what the plan and its boost may spend today: of each what could be held."""
    with shop.desk(SYSTEM, dies).database.begin() as connection:
        plan = plans.load(connection, PLAN.id).plan
        held = books.lease(connection, [plan], shop.today).amount
        return held, books.lease_boost(connection, boost_of(shop.today), plan, shop.today).amount if boosted else 0


def capture(shop: Shop, dies: bool, spent: int, by_boost: int) -> None:
    """Take what was spent today of what was held."""
    end = books.last_instant(shop.today, PLAN.timezone)
    with shop.desk(SYSTEM, dies).database.begin() as connection:
        for spender, amount in ((PLAN, spent), (boost_of(shop.today), by_boost)):
            if amount:
                books.capture(connection, spender, shop.today, end, amount)


def boost_of(day: date) -> Boost:
    """The boost of a day, from nine to three."""
    noon = microseconds(midnight(day)) + 12 * HOUR
    number = 1000 + (day - FIRST).days
    return Boost(number, PLAN.id, BoostKind.PLAN, 200 * YUAN, noon - 3 * HOUR, noon + 3 * HOUR)


def happened(shop: Shop, lived: Lived, first: int) -> list[Fact]:
    """What the platform comes to know of today, ids from the first on."""
    nine, version = microseconds(midnight(shop.today)) + 9 * HOUR, shop.version()
    facts = []
    for number, amount in enumerate([*_parts(lived.spend, 4), *_parts(lived.boost, 1)]):
        of, at, boost = first + number, nine + number * 5 * MINUTE, int(number == 4)
        seen = {"impression_id": of}
        charged = {**seen, "amount": amount, "boost": boost, "target_version": version}
        clicked = {**seen, "user_id": of, "product_id": 11}
        facts += [Fact(Kind.IMPRESSION, of, at, {"product_id": 11}), Fact(Kind.CHARGE, of, at, charged)]
        facts.append(Fact(Kind.CLICK, of, at, clicked))
    if lived.boost:
        boost_told = {"boost_id": boost_of(shop.today).id, "boost": 1, "ended": True, "amount": lived.boost}
        facts.append(Fact(Kind.BOOST, first, nine, boost_told))
    for number in range(lived.orders):
        sold = {"amount": 90 * YUAN + number, "coupon": 3 * YUAN, "subsidy": 1_000_003, "commission": 9_000_001}
        sold |= {"service_fee": 1_800_007, "target_version": version}
        facts.append(order(first + number, nine + (10 + number) * MINUTE, **sold))
        if number < lived.refunded:
            back = {"order_id": first + number, "order_at": facts[-1].at, "amount": (60 + 30 * (number % 2)) * YUAN}
            days = 9 if number == 3 else 0  # the fourth comes when its window is closed
            facts.append(Fact(Kind.REFUND, first + number, facts[-1].at + (24 * days + 1) * HOUR // 2, back))
    return facts


def order(id_: int, at: int, **more: Any) -> Fact:
    """An order that advertising brought."""
    sold = {"product_id": 11, "channel": int(Channel.PROMOTED), "room_id": -1, "click_id": -1, "touched_at": -1}
    return Fact(Kind.ORDER, id_, at, {**sold, "coupon_id": -1, **more})


def _parts(amount: int, count: int) -> list[int]:
    return [amount // count] * (count - 1) + [amount - amount // count * (count - 1)]


def tell(shop: Shop, dies: bool, facts: Sequence[Fact], received: int) -> None:
    """Store facts as received at a time, in the order given."""
    told = {kind: [_columns(fact, received) for fact in facts if fact.kind is kind] for kind in Kind}
    tables = {
        kind: table(kind, {name: np.array([row[name] for row in rows]) for name in SCHEMAS[kind].names})
        for kind, rows in told.items()
        if rows
    }
    with shop.desk(SYSTEM, dies).database.begin() as connection:
        shop.lake.add(connection, FactBatch(tables))


def _columns(fact: Fact, received: int) -> dict[str, Any]:
    known = {"id": fact.id, "at": fact.at, "plan_id": PLAN.id, "received_at": max(received, fact.at)}
    return dict.fromkeys(SCHEMAS[fact.kind].names, 0) | known | fact.more


def close_days(shop: Shop, dies: bool) -> None:
    """Close every day that is over."""
    with shop.desk(SYSTEM, dies).database.begin() as connection:
        close.close_day(connection, shop.lake, shop.today - timedelta(days=1), shop.now)


def change(shop: Shop, dies: bool, after: dict[str, Any]) -> Any:
    """Change the plan at the owner's desk."""
    return change_plan(shop.desk(OWNER, dies), Wanted(PLAN.id, after, confirmed=True)).saved


def file_claim(shop: Shop, dies: bool, asked: claims.Asked) -> Any:
    return claims.file(shop.desk(FINANCE, dies), asked)


def decide_claim(shop: Shop, dies: bool, claim_id: int, step: str, amount: int | None) -> Any:
    """Take, approve, reject a claim at the reviewer's desk, or withdraw it at the claimant's."""
    if step == "withdraw":
        return claims.withdraw(shop.desk(FINANCE, dies), claim_id)
    desk = shop.desk(REVIEWER, dies)
    steps: dict[str, Callable[[], Any]] = {
        "take": lambda: claims.take(desk, claim_id),
        "approve": lambda: claims.approve(desk, claim_id, amount, "so much"),
        "reject": lambda: claims.reject(desk, claim_id, "no"),
    }
    return steps[step]()


def instruct(shop: Shop, dies: bool, what: str, order: money.Order, lives: int) -> Any:
    """Top up, withdraw, or grant credit that lives so many days."""
    if what == "grant":
        last = shop.today + timedelta(days=lives)
        return money.grant(shop.desk(REVIEWER, dies), order, last_day=last)
    does = money.top_up if what == "top_up" else money.withdraw
    return does(shop.desk(FINANCE, dies), order)


def close_month(shop: Shop, dies: bool, month: Month) -> Any:
    return money.close_month(shop.desk(FINANCE, dies), month, PLAN.ad_account_id)


def wait(shop: Shop, dies: bool, days: int) -> None:
    """Time goes on: by a minute, or to the beginning of a later day."""
    if not dies:
        shop.today, shop.minutes = shop.today + timedelta(days=days), 0 if days else shop.minutes + 1


OPERATIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        lease, capture, tell, close_days, change, file_claim, decide_claim, instruct, close_month, wait,
    )
}  # fmt: skip
