"""What the ledger tells when it is read: statements, holds, and where spent money came from (SPEC 5.9)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from qianheng.core.days import SHANGHAI
from qianheng.ledger.sources import Sources, sources
from qianheng.store import grants, ledger


def sources_of(
    connection: Connection, ad_account_id: int, reference: int, timezone: str = SHANGHAI
) -> dict[date, Sources]:
    """Of what an ad account spent on a plan or boost (`reference`), how much came from cash and how much from which
    grants of credit, by day. `grants.grants_of` tells when each of those expires.
    """
    transfers = ledger.transfers_about(connection, reference)
    uses = grants.uses_of(connection, [transfer.id for transfer in transfers])
    return sources(transfers, uses, ad_account_id, timezone)
