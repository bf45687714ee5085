"""Closing days: the units that facts have opened, the verdicts given on them, the days closed."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "guarantee_unit",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "verdict",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("unit_id", sa.BigInteger, sa.ForeignKey("guarantee_unit.id"), nullable=False, index=True),
        sa.Column("given_at", sa.BigInteger, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("compensation", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("corrects", sa.BigInteger, unique=True),
    )
    op.create_table(
        "day_close",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("facts_through", sa.BigInteger, nullable=False),
    )
