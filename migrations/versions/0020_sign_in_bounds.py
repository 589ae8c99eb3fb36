"""The key that an authorization code is bound to (RFC 9449 section 10)."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column; codes given before are bound to no key."""
    op.execute("ALTER TABLE oauth_grant ADD COLUMN code_thumbprint text")


def downgrade() -> None:
    """Gone; a code lives a minute."""
    op.execute("ALTER TABLE oauth_grant DROP COLUMN code_thumbprint")
