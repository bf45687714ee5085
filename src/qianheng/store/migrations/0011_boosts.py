"""Boosts of plans, each as it was begun."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "boost",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("plan_id", sa.BigInteger, sa.ForeignKey("plan.id"), nullable=False, index=True),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("budget", sa.BigInteger, nullable=False),
        sa.Column("starts", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("creative_ids", sa.JSON, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
    )
