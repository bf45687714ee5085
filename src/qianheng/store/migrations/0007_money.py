"""Instructions about money by their idempotency key, and closed months; neither ever changes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "instruction",
        sa.Column("ad_account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    amounts = ("opening_cash", "opening_credit", "cash_spent", "cash_refunded", "credit_spent")
    op.create_table(
        "month_close",
        sa.Column("ad_account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("month", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in amounts),
        sa.Column("movements", sa.JSON, nullable=False),
    )
    for table in ("instruction", "month_close"):
        for act in ("UPDATE", "DELETE"):
            _forbid(table, act)


def _forbid(table: str, act: str) -> None:
    name, execute = f"{table}_{act.lower()}_rules", op.get_bind().exec_driver_sql
    told = "ledger: what was done stays as it was done"
    if op.get_bind().dialect.name == "sqlite":
        execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{told}'); END")
        return
    body = f"BEGIN RAISE EXCEPTION '{told}'; END"
    execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
