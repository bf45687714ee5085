"""The ledger, the plans with their change log, the log of facts and the manifest of the lake."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner", sa.BigInteger, nullable=False),
        sa.Column("may_be_negative", sa.Boolean, nullable=False),
        sa.Column("posted", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("incoming", sa.BigInteger, nullable=False),
    )
    op.create_index("account_of_owner", "account", ["owner", "kind"], unique=True)
    op.create_table(
        "transfer",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("debit", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("credit", sa.BigInteger, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("pending_id", sa.BigInteger, unique=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("reference", sa.BigInteger, nullable=False),
    )
    op.create_index("transfer_of_debit", "transfer", ["debit", "sequence"])
    op.create_index("transfer_of_credit", "transfer", ["credit", "sequence"])
    op.create_index("transfer_of_reference", "transfer", ["reference"])
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("shop_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("ad_account_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("first", sa.JSON, nullable=False),
        sa.Column("current", sa.JSON, nullable=False),
    )
    op.create_table(
        "plan_change",
        sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("plan.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("after", sa.JSON, nullable=False),
    )
    op.create_table(
        "fact_log",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "fact_file",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("path", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False, index=True),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("first_id", sa.BigInteger, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
