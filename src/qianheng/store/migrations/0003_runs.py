"""Simulated runs: what was asked, how far it got, and what each day brought."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("next_day", sa.Date, nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "run_day",
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("told", sa.JSON, nullable=False),
    )
