"""What the ledger tells when it is read: statements, holds, and where spent money came from (SPEC 5.9)."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection

from qianheng.core.days import SHANGHAI
from qianheng.ledger.sources import Sources, sources
from qianheng.store import grants, ledger


def payer_of(connection: Connection, reference: int) -> int | None:
    """The ad account that a plan, a standard campaign or a boost (`reference`) spends of; `None` if of none so far."""
    accounts, transfers = ledger.ACCOUNT, ledger.TRANSFER
    query = sa.select(accounts.c.owner).join(transfers, transfers.c.debit == accounts.c.id)
    query = query.where(transfers.c.reference == reference, accounts.c.kind.in_(["cash", "credit"]))
    owner = connection.scalar(query.limit(1))
    return None if owner is None else int(owner)


def sources_of(
    connection: Connection, ad_account_id: int, reference: int, timezone: str = SHANGHAI
) -> dict[date, Sources]:
    """Of what an ad account spent on a plan or boost (`reference`), how much came from cash and how much from which
    grants of credit, by day. `grants.grants_of` tells when each of those expires.
    """
    transfers = ledger.transfers_about(connection, reference)
    uses = grants.uses_of(connection, [transfer.id for transfer in transfers])
    return sources(transfers, uses, ad_account_id, timezone)
