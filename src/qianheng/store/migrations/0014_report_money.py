"""Rows of reports say in which currency their money is, and to what their plan was set."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns; what is there already came from 千川."""
    op.add_column("report_row", sa.Column("target", sa.Text))
    op.add_column("report_row", sa.Column("budget", sa.BigInteger))
    op.add_column("report_row", sa.Column("currency", sa.Text, nullable=False, server_default="CNY"))
