"""What residents are told."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.execute(
        """
        CREATE TABLE notice (
          id uuid NOT NULL CONSTRAINT pk_notice PRIMARY KEY,
          city_id integer NOT NULL,
          resident_id uuid NOT NULL,
          fact_id uuid NOT NULL CONSTRAINT uq_notice_fact_id UNIQUE,
          kind text NOT NULL,
          facts jsonb NOT NULL,
          created_at timestamptz NOT NULL,
          read_at timestamptz,
          sms_sent_at timestamptz
        );
        CREATE INDEX ix_notice_resident_id ON notice (resident_id, id);
        GRANT SELECT, INSERT, DELETE, UPDATE (read_at, sms_sent_at) ON notice TO citycard_app;
        """
    )


def downgrade() -> None:
    """Gone."""
    op.execute("DROP TABLE notice")
