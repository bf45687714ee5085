"""Where people work: who the members are, who did what, and what shops were told."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("shop_id", sa.BigInteger, index=True),
    )
    op.create_table(
        "notice",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("shop_id", sa.BigInteger, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
    )
    op.create_table(
        "member_change",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False, index=True),
        sa.Column("role", sa.Text),
        sa.Column("shop_id", sa.BigInteger),
    )
