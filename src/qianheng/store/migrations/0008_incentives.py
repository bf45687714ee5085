"""Products with their shops, and the rules of incentives."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("shop_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "incentive_rule",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("product_id", sa.BigInteger),
        sa.Column("body", sa.JSON, nullable=False),
    )
