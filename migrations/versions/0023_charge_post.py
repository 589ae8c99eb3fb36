"""A charge is counted on the day on which it is recorded, also when it waited across midnight."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The third version of the function."""
    op.execute(sql("charge_post_v3"))


def downgrade() -> None:
    """The second."""
    op.execute(sql("charge_post_v2"))
