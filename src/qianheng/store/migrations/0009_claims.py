"""Refund claims: what was asked, every step, which yuan of which day were granted, and evidence."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "claim",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("shop_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("plan_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("claimant", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "claim_move",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "claim_share",
        sa.Column("plan_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
    )
    op.create_table(
        "claim_return",
        sa.Column("transfer_id", sa.BigInteger, sa.ForeignKey("transfer.id"), primary_key=True, autoincrement=False),
        sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
        sa.Column("expires_at", sa.BigInteger),
    )
    op.create_table(
        "claim_evidence",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("claim_id", sa.BigInteger, sa.ForeignKey("claim.id"), nullable=False, index=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
    )
