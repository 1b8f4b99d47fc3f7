"""How a signed call was answered, for when it comes again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("status", sa.Integer, nullable=False, server_default="202"))


def downgrade() -> None:
    op.drop_column("webhooks", "status")
