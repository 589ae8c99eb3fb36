"""A protecting limit keeps its present window alone, which for spans under a day begins with the first attempt."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


# What was counted in the present window stays counted: it only ends now when the window does, no longer a window later.
ONE_WINDOW = """
LOCK TABLE limit_counter IN ACCESS EXCLUSIVE MODE;
DELETE FROM limit_counter AS old USING limit_counter AS newer
 WHERE newer.name = old.name AND newer.key = old.key AND newer.window_start > old.window_start;
ALTER TABLE limit_counter DROP CONSTRAINT pk_limit_counter, ADD CONSTRAINT pk_limit_counter PRIMARY KEY (name, key);
UPDATE limit_counter SET expires_at = window_start + (expires_at - window_start) / 2;
"""
MANY_WINDOWS = """
LOCK TABLE limit_counter IN ACCESS EXCLUSIVE MODE;
ALTER TABLE limit_counter DROP CONSTRAINT pk_limit_counter, ADD CONSTRAINT pk_limit_counter PRIMARY KEY (name, key, window_start);
UPDATE limit_counter SET expires_at = window_start + (expires_at - window_start) * 2;
"""


def upgrade() -> None:
    """Windows that are over are forgotten; the present ones keep their counts."""
    op.execute(ONE_WINDOW)


def downgrade() -> None:
    """Windows that began with an attempt are not those that the older program reads: it begins its hours anew."""
    op.execute(MANY_WINDOWS)
