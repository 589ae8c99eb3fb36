"""The key that an authorization code is bound to (RFC 9449 section 10), and whether a consent goes on after the resident leaves."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns; codes given before are bound to no key, and nobody who consented before was asked about offline access."""
    op.execute("ALTER TABLE oauth_grant ADD COLUMN code_thumbprint text")
    op.execute("ALTER TABLE consent ADD COLUMN offline boolean DEFAULT false NOT NULL")


def downgrade() -> None:
    """Gone; a code lives a minute, and offline access is asked for again."""
    op.execute("ALTER TABLE consent DROP COLUMN offline")
    op.execute("ALTER TABLE oauth_grant DROP COLUMN code_thumbprint")
