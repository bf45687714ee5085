"""What happened to alerts, silences, the watch; where alerts are told, what is to be told, what came of it."""

import sqlalchemy as sa
from alembic import op

from qianheng.store.database import Sequence

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert_event",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("alert_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("happened", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("shop_id", sa.Text, nullable=False, index=True),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("within", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("quiet", sa.Boolean, nullable=False),
    )
    op.create_table(
        "alert_silence",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("shop_id", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("plan_id", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_watch",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("board", sa.JSON, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "channel_change",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("shop_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("settings", sa.JSON),
    )
    op.create_table(
        "message",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("shop_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("event_id", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("sequence", Sequence, primary_key=True),
        sa.Column("message_id", sa.BigInteger, sa.ForeignKey("message.id"), nullable=False, index=True),
        sa.Column("post_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
    )
