"""Instructions about money from the desk: top-up, withdrawal, credit, the close of a month (SPEC 5.9).

Each is done once by its key, under an actor whose role allows it, and leaves an audit entry, all in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from qianheng.actions.desk import Desk
from qianheng.actions.money_terms import terms
from qianheng.core.actors import Act, demand
from qianheng.core.days import midnight
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.core.ids import stable_id
from qianheng.core.money import FEN, Micros, yuan
from qianheng.core.plain import Json
from qianheng.ledger.months import Month, MonthTotals
from qianheng.ledger.transfers import AccountKind, Transfer, account, accounts_of, platform_accounts
from qianheng.store import instructions, ledger, months, plans
from qianheng.store.instructions import Instruction

GRANTS = ("promotion", "manual")  # why the platform gives credit by hand


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of an ad account (of the only one if `None`): an amount, under a key (a new one if empty)."""

    amount: Micros
    ad_account_id: int | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class AdAccount:
    """An ad account and the shop it belongs to."""

    shop_id: int
    id: int

    @property
    def subject(self) -> str:
        """What audit entries and notices about it are about."""
        return f"ad account {self.id}"


def ad_account(desk: Desk, connection: Connection, wanted: int | None = None) -> AdAccount:
    """The ad account asked for, or the only one the actor sees. None such, or several to choose from: told by name."""
    found = [AdAccount(*known) for known in plans.ad_accounts(connection) if desk.actor.sees(known[0])]
    known = ", ".join(str(one.id) for one in found)
    if wanted is None and len(found) != 1:
        raise BadInput("money.which", place="--account", known=known)
    matching = [one for one in found if wanted in (None, one.id)]
    if not matching:
        raise NotFound("money.no_account", place="--account", value=wanted, known=known)
    return matching[0]


def top_up(desk: Desk, order: Order) -> Json:
    """Pay cash in, from clearing."""

    def transfer(ours: AdAccount, transfer_id: int) -> Transfer:
        ends = (account(AccountKind.CLEARING).id, account(AccountKind.CASH, ours.id).id)
        return Transfer(transfer_id, *ends, order.amount, desk.now, reason="top_up")

    return _instruct(desk, Act.MOVE_MONEY, order, {"do": "top_up"}, lambda _, *told: transfer(*told))


def withdraw(desk: Desk, order: Order) -> Json:
    """Pay cash out, to clearing. More than the cash that is not frozen: Refused; credit is never paid out."""

    def transfer(connection: Connection, ours: AdAccount, transfer_id: int) -> Transfer:
        cash = ledger.funds(connection, ours.id).cash
        if order.amount > cash:
            raise Refused("money.only_cash", amount=yuan(order.amount), available=yuan(cash))
        ends = (account(AccountKind.CASH, ours.id).id, account(AccountKind.CLEARING).id)
        return Transfer(transfer_id, *ends, order.amount, desk.now, reason="withdrawal")

    return _instruct(desk, Act.MOVE_MONEY, order, {"do": "withdraw"}, transfer)


def grant(desk: Desk, order: Order, reason: str = GRANTS[0], last_day: date | None = None) -> Json:
    """Give credit from the platform, spendable up to the end of `last_day` (default: as the terms say).

    Another reason than promotion or manual, or a day that is over: BadInput.
    """
    if reason not in GRANTS:
        raise BadInput("core.fault.choice", place="--reason", value=repr(reason), choices=", ".join(GRANTS))
    lapses = terms().lapses(reason, desk.now)
    if last_day is not None:
        lapses = midnight(last_day + timedelta(days=1), str(desk.now.tzinfo))

    def transfer(ours: AdAccount, transfer_id: int) -> Transfer:
        if last_day is not None and last_day <= desk.now.date():  # asked again, it is answered however late
            raise BadInput("money.bad_expiry", place="--expires", value=last_day)
        ends = (account(AccountKind.PROMOTIONS).id, account(AccountKind.CREDIT, ours.id).id)
        return Transfer(transfer_id, *ends, order.amount, desk.now, reason=reason, expires_at=lapses)

    asked = {"do": "grant", "reason": reason, "last_day": None if last_day is None else last_day.isoformat()}
    return _instruct(desk, Act.GRANT_CREDIT, order, asked, lambda _, *told: transfer(*told))


def close_month(desk: Desk, month: Month, wanted: int | None = None) -> MonthTotals:
    """Close a month of an ad account; closed before: as it was. What keeps it open: Refused, by name."""
    demand(desk.actor, Act.CLOSE_MONTH)
    with desk.database.begin() as connection:
        ours = ad_account(desk, connection, wanted)
        if month in (kept := months.closed(connection, ours.id)):
            return kept[month]
        found = months.close_month(connection, ours.id, month, desk.now)
        detail = {"month": str(month), "closing": yuan(found.closing.total)}
        desk.enter(connection, Act.CLOSE_MONTH, ours.subject, detail, ours.shop_id)
        return found


Make = Callable[[Connection, AdAccount, int], Transfer]


def _instruct(desk: Desk, act: Act, order: Order, asked: Json, make: Make) -> Json:
    """Do what is asked once: answer as before if its key has been answered, else record, audit and remember it."""
    demand(desk.actor, act)
    if order.key.startswith("#"):
        raise BadInput("money.bad_key", place="--key", value=order.key)
    if order.amount <= 0 or order.amount % FEN:
        raise BadInput("money.bad_amount", place="AMOUNT", value=yuan(order.amount))
    with desk.database.begin() as connection:
        ours = ad_account(desk, connection, order.ad_account_id)
        ledger.open_accounts(connection, [*platform_accounts(), *accounts_of(ours.id)])
        ledger.lock_ad_account(connection, ours.id)
        key = order.key or instructions.next_key(connection, ours.id)
        instruction = Instruction(ours.id, key, asked | {"amount": yuan(order.amount)})
        before = instructions.answered(connection, instruction)
        if before is not None:
            return before
        (transfer,) = ledger.record(connection, [make(connection, ours, stable_id("instruction", ours.id, key))])
        answer = _answer(instruction, transfer, desk.now) | {"available": _available(connection, ours.id)}
        desk.enter(connection, act, ours.subject, {**instruction.content, "key": key}, ours.shop_id)
        instructions.keep(connection, instruction, answer, desk.now)
    return answer


def _answer(asked: Instruction, done: Transfer, here: datetime) -> Json:
    told = {"ad_account": asked.ad_account_id, "key": asked.key, "transfer": str(done.id), **asked.content}
    told["at"] = done.at.astimezone(here.tzinfo).isoformat()
    return told if done.expires_at is None else told | {"expires_at": done.expires_at.isoformat()}


def _available(connection: Connection, ad_account_id: int) -> Json:
    funds = ledger.funds(connection, ad_account_id)
    return {name: yuan(amount) for name, amount in funds._asdict().items()}
