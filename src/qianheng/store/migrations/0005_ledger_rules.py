"""The rules of the ledger in SQL, and grants of credit with an expiry of their own (SPEC 5.9, decision 0013).

Whoever writes, by whatever program: entries stay as they are, each keeps the rules of its kind, and a balance moves by
exactly what the entries since its last move add up to. SQLite has no check to add to a table that exists, so there
triggers say the same.
"""

from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ACCOUNT_RULES = {
    "a balance is below zero": "NOT NEW.may_be_negative AND NEW.posted < NEW.reserved",
    "less than nothing is promised": "NEW.reserved < 0 OR NEW.incoming < 0",
}
OPENING_RULES = {
    "an account begins with nothing in it": "NEW.posted <> 0 OR NEW.reserved <> 0 OR NEW.incoming <> 0"
    " OR NEW.moved_to <> 0 OR NEW.closed_until IS NOT NULL",
}
MOVE_RULES = {
    "what an account is never changes": "NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.owner <> OLD.owner"
    " OR NEW.may_be_negative <> OLD.may_be_negative",
    "a closed month stays closed": "OLD.closed_until IS NOT NULL"
    " AND (NEW.closed_until IS NULL OR NEW.closed_until < OLD.closed_until)",
    "a balance moves by what new entries add up to": """
        NEW.moved_to < OLD.moved_to OR NEW.moved_to > (SELECT COALESCE(MAX(sequence), 0) FROM transfer)
        OR EXISTS (
            SELECT 1 FROM (
                SELECT COALESCE(SUM(posted), 0) AS posted, COALESCE(SUM(reserved), 0) AS reserved,
                       COALESCE(SUM(incoming), 0) AS incoming
                FROM (
                    SELECT CASE t.state WHEN 'posted' THEN -t.amount ELSE 0 END AS posted, {promised} AS reserved,
                           0 AS incoming
                    FROM transfer AS t WHERE t.debit = NEW.id AND t.sequence > OLD.moved_to
                    UNION ALL
                    SELECT CASE t.state WHEN 'posted' THEN t.amount ELSE 0 END, 0, {promised}
                    FROM transfer AS t WHERE t.credit = NEW.id AND t.sequence > OLD.moved_to
                ) AS entries
            ) AS moved
            WHERE moved.posted <> NEW.posted - OLD.posted OR moved.reserved <> NEW.reserved - OLD.reserved
               OR moved.incoming <> NEW.incoming - OLD.incoming
        )""".format(
        promised="""CASE WHEN t.state = 'pending' THEN t.amount WHEN t.pending_id IS NULL THEN 0
                    ELSE -(SELECT p.amount FROM transfer AS p WHERE p.id = t.pending_id) END"""
    ),
}
ENTRY_RULES = {
    "an amount is above zero": "NEW.amount <= 0",
    "debit and credit are two accounts": "NEW.debit = NEW.credit",
    "an entry is pending, posted or voided": "NEW.state NOT IN ('pending', 'posted', 'voided')",
    "only a pending entry is posted or voided, once, within its amount": """
        (NEW.state = 'voided' AND NEW.pending_id IS NULL) OR (NEW.state = 'pending' AND NEW.pending_id IS NOT NULL)
        OR (NEW.pending_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM transfer AS p
            WHERE p.id = NEW.pending_id AND p.state = 'pending' AND p.debit = NEW.debit AND p.credit = NEW.credit
              AND (NEW.amount = p.amount OR (NEW.state = 'posted' AND NEW.amount < p.amount))))""",
    "a closed month takes no entry": """
        EXISTS (SELECT 1 FROM account AS a WHERE a.id IN (NEW.debit, NEW.credit) AND a.closed_until > NEW.at)""",
}
GRANT_RULES = {
    "of a grant between nothing and all is available": "NEW.available < 0 OR NEW.available > NEW.amount",
}
KEPT_GRANT_RULES = {
    "what a grant is never changes": "NEW.id <> OLD.id OR NEW.account_id <> OLD.account_id"
    " OR NEW.source <> OLD.source OR NEW.amount <> OLD.amount OR NEW.expires_at <> OLD.expires_at",
}
GRANT_COLUMNS = ("id", "account_id", "source", "amount", "available", "expires_at")
USE_COLUMNS = ("transfer_id", "grant_id", "amount")
Uses = list[tuple[int, int]]  # of which grants, how much
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = {"entries stay as they are; a correction is another entry": "TRUE"}


def upgrade() -> None:
    """Add the columns and tables, give old credit its grants, and put the rules in force."""
    op.add_column("transfer", sa.Column("expires_at", sa.BigInteger))
    op.add_column("transfer", sa.Column("happened_at", sa.BigInteger))
    op.add_column("account", sa.Column("moved_to", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("account", sa.Column("closed_until", sa.BigInteger))
    op.execute("UPDATE account SET moved_to = (SELECT COALESCE(MAX(sequence), 0) FROM transfer)")
    _make_tables()
    _grant_what_was_granted()
    _enforce("account", "INSERT", ACCOUNT_RULES | OPENING_RULES)
    _enforce("account", "UPDATE", ACCOUNT_RULES | MOVE_RULES)
    _enforce("transfer", "INSERT", ENTRY_RULES)
    _enforce("credit_grant", "INSERT", GRANT_RULES)
    _enforce("credit_grant", "UPDATE", GRANT_RULES | KEPT_GRANT_RULES)
    for table in ("transfer", "credit_use"):
        _enforce(table, "UPDATE", NEVER)
    for table in ("account", "transfer", "credit_grant", "credit_use"):
        _enforce(table, "DELETE", NEVER)


def _make_tables() -> None:
    op.create_table(
        "credit_grant",
        sa.Column("id", sa.BigInteger, sa.ForeignKey("transfer.id"), primary_key=True, autoincrement=False),
        sa.Column("account_id", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("source", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("available", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("credit_grant_of_account", "credit_grant", ["account_id", "expires_at"])
    op.create_table(
        "credit_use",
        sa.Column("transfer_id", sa.BigInteger, sa.ForeignKey("transfer.id"), primary_key=True, autoincrement=False),
        sa.Column("grant_id", sa.BigInteger, sa.ForeignKey("credit_grant.id"), primary_key=True, autoincrement=False),
        sa.Column("amount", sa.BigInteger, sa.CheckConstraint("amount > 0"), nullable=False),
    )


def _grant_what_was_granted() -> None:
    """Credit from before gets its grants by the rules of this revision, whatever those of the program are by now."""
    connection = op.get_bind()
    granted, drawn = dict[int, dict[str, Any]](), dict[int, Uses]()
    credit = set(connection.execute(sa.text("SELECT id FROM account WHERE kind = 'credit'")).scalars())
    entries = sa.text("SELECT id, debit, credit, amount, at, state, pending_id FROM transfer ORDER BY sequence")
    for row in connection.execute(entries):
        if row.debit in credit:
            drawn[row.id] = _draw(row, granted, drawn)
        if row.credit in credit and row.state == "posted":
            brought = {"id": row.id, "account_id": row.credit, "source": row.debit, "amount": row.amount}
            granted[row.id] = brought | {"available": row.amount, "expires_at": _a_year_after(row.at)}
    of_grants = sa.table("credit_grant", *map(sa.column, GRANT_COLUMNS))
    of_uses = sa.table("credit_use", *map(sa.column, USE_COLUMNS))
    op.bulk_insert(of_grants, list(granted.values()))
    uses = [(id_, *use) for id_, taken in drawn.items() for use in taken]
    op.bulk_insert(of_uses, [dict(zip(USE_COLUMNS, use, strict=True)) for use in uses])


def _draw(row: Any, granted: dict[int, dict[str, Any]], drawn: dict[int, Uses]) -> Uses:
    """What a transfer takes, or holds, of which grants, the first to expire first; what it settles is released."""
    if row.pending_id is None:
        ours = [one for one in granted.values() if one["account_id"] == row.debit and one["available"]]
        ours.sort(key=itemgetter("expires_at", "id"))
        taken = _first([(one["id"], one["available"]) for one in ours], row.amount)
    else:
        for id_, amount in drawn[row.pending_id]:
            granted[id_]["available"] += amount
        taken = _first(drawn[row.pending_id], row.amount if row.state == "posted" else 0)
    for id_, amount in taken:
        granted[id_]["available"] -= amount
    return taken


def _first(uses: Uses, amount: int) -> Uses:
    """The first uses, up to an amount in all."""
    found = []
    for id_, most in uses:
        if amount > 0:
            found.append((id_, min(most, amount)))
            amount -= most
    return found


def _a_year_after(at: int) -> int:
    """The same time a year later in UTC, after 29 February on the 28th; UTC microseconds."""
    then = EPOCH + timedelta(microseconds=at)
    day = 28 if (then.month, then.day) == (2, 29) else then.day
    return (then.replace(year=then.year + 1, day=day) - EPOCH) // timedelta(microseconds=1)


def _enforce(table: str, act: str, rules: dict[str, str]) -> None:
    """Refuse whatever breaks one of the rules (name → what breaks it), whoever does it."""
    name = f"{table}_{act.lower()}_rules"
    execute = op.get_bind().exec_driver_sql
    if op.get_bind().dialect.name == "sqlite":
        checks = (f"SELECT RAISE(ABORT, 'ledger: {rule}') WHERE {broken};" for rule, broken in rules.items())
        execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN {' '.join(checks)} END")
        return
    checks = (f"IF {broken} THEN RAISE EXCEPTION 'ledger: {rule}'; END IF;" for rule, broken in rules.items())
    result = "OLD" if act == "DELETE" else "NEW"
    body = f"BEGIN {' '.join(checks)} RETURN {result}; END"
    execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
