"""A wallet's own count of payments a day, after the terms of its city; a wallet without one is not limited by count."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column."""
    op.execute(
        """
        ALTER TABLE wallet ADD COLUMN daily_count_limit integer CONSTRAINT ck_wallet_count CHECK (daily_count_limit > 0);
        GRANT UPDATE (daily_count_limit) ON wallet TO citycard_app;
        """
    )


def downgrade() -> None:
    """Without it."""
    op.execute("ALTER TABLE wallet DROP COLUMN daily_count_limit")
