"""Codes that are presented in one moment are consumed together, in one call."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The second version, of many codes."""
    op.execute(sql("present_code_v2"))
    op.execute("DROP FUNCTION present_code_v1")


def downgrade() -> None:
    """The first, of one."""
    op.execute("DROP FUNCTION present_codes")
    op.execute(sql("present_code_v1").replace("CREATE FUNCTION code_lock_v1", "CREATE OR REPLACE FUNCTION code_lock_v1"))
