"""A charge keeps a wallet's count of payments a day, and notices that a crash emptied what was presented."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The second version of the function."""
    op.execute(sql("charge_post_v2"))


def downgrade() -> None:
    """The first."""
    op.execute(sql("charge_post_v1").replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
