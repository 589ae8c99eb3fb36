"""Answers that held city-code authorisations beside their resident in the clear are forgotten; from here on they are kept sealed."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A repetition of such a request from before gets a batch of its own, which is harmless: a batch is never given twice."""
    op.execute("DELETE FROM idempotency WHERE answer ? 'authorisations'")


def downgrade() -> None:
    """Those that were sealed are forgotten too: the program of before cannot open them."""
    op.execute("DELETE FROM idempotency WHERE answer ? 'sealed'")
