"""What a vendor's API told of plans, and how far each account has been read."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "vendor_plan",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("account", sa.Text, nullable=False, index=True),
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "vendor_sync",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("account", sa.Text, nullable=False, index=True),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False),
        sa.Column("read_at", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
    )
