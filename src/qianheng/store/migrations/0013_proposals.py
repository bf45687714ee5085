"""Proposals and what became of them, what automation may do, and its kill switch."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "proposal",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("shop_id", sa.Text, nullable=False, index=True),
        sa.Column("plan_id", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "proposal_move",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("proposal_id", sa.BigInteger, sa.ForeignKey("proposal.id"), nullable=False, index=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "automation_limits",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("shop_id", sa.Text, nullable=False, index=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "automation_switch",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("shop_id", sa.Text, index=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
