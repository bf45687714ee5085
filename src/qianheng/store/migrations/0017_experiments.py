"""Experiments as planned, and everything that happened to them."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "experiment",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("shop_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("plan.id"), nullable=False),
        sa.Column("planned_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "experiment_event",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("experiment_id", sa.BigInteger, sa.ForeignKey("experiment.id"), nullable=False, index=True),
        sa.Column("happened", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
