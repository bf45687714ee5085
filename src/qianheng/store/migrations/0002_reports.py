"""The reports imported from other platforms: files and their rows."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "report_file",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("layout", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "report_row",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("file_id", sa.BigInteger, sa.ForeignKey("report_file.id"), nullable=False),
        sa.Column("key", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("entity_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("first", sa.Date),
        sa.Column("last", sa.Date),
        sa.Column("hour", sa.Integer),
        sa.Column("within", sa.Text, nullable=False),
        sa.Column("goal", sa.Text, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("aside", sa.JSON, nullable=False),
    )
    op.create_index("ix_report_row_file_id", "report_row", ["file_id"])
    op.create_index("ix_report_row_key", "report_row", ["key"])
    op.create_index("ix_report_row_first", "report_row", ["first"])
