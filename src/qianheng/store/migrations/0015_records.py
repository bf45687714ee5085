"""What happened as other platforms' record files tell it: shop orders, refunds, the log of what was done to plans."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "record_file",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("first", sa.Date),
        sa.Column("last", sa.Date),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "record",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("file_id", sa.BigInteger, sa.ForeignKey("record_file.id"), nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_index("record_kind_at", "record", ["kind", "at"])
