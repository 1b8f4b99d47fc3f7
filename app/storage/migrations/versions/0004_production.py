"""Spend, alerts, signed calls, and the request id that leads from an update to its delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table in ("turns", "deliveries"):
        op.add_column(
            table, sa.Column("request_id", sa.String(32), nullable=False, server_default="")
        )
    if op.get_bind().dialect.name != "sqlite":  # which does not mind lengths
        op.alter_column("deliveries", "edits", type_=sa.Text())
    op.create_table(
        "spends",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("spent_usd", sa.Float, nullable=False),
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("day", sa.Integer, nullable=False, index=True),
        sa.Column("amount_usd", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_table(
        "alerts",
        sa.Column("cause", sa.String(64), primary_key=True),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("told_at", sa.Float, nullable=False),
        sa.Column("over_at", sa.Float),
    )
    op.create_table(
        "webhooks",
        sa.Column("platform", sa.String(32), primary_key=True),
        sa.Column("webhook_id", sa.String(256), primary_key=True),
        sa.Column("received_at", sa.Float, nullable=False, index=True),
    )


def downgrade() -> None:
    for table in ("webhooks", "alerts", "reservations", "spends"):
        op.drop_table(table)
    for table in ("turns", "deliveries"):
        op.drop_column(table, "request_id")
