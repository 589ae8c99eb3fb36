"""What residents agreed to: which version of which text, when and on which device."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, of which only the withdrawal can be written later."""
    op.execute(
        """
        CREATE TABLE agreement_acceptance (
          id uuid NOT NULL CONSTRAINT pk_agreement_acceptance PRIMARY KEY,
          city_id integer NOT NULL,
          resident_id uuid NOT NULL CONSTRAINT fk_agreement_acceptance_resident_id REFERENCES resident (id),
          kind text NOT NULL,
          text_version text NOT NULL,
          text_sha256 bytea NOT NULL,
          device_id uuid CONSTRAINT fk_agreement_acceptance_device_id REFERENCES device (id),
          agreed_at timestamptz NOT NULL,
          withdrawn_at timestamptz,
          CONSTRAINT ck_agreement_acceptance_kind CHECK (kind IN ('user_agreement', 'privacy_policy', 'identity_data', 'face_data')),
          CONSTRAINT ck_agreement_acceptance_text_sha256 CHECK (octet_length(text_sha256) = 32),
          CONSTRAINT ck_agreement_acceptance_withdrawn_at CHECK (withdrawn_at >= agreed_at)
        );
        CREATE UNIQUE INDEX uq_agreement_acceptance_live ON agreement_acceptance (resident_id, kind, text_version)
          WHERE withdrawn_at IS NULL;
        CREATE INDEX ix_agreement_acceptance_resident_id ON agreement_acceptance (resident_id, id);
        GRANT SELECT, INSERT, UPDATE (withdrawn_at) ON agreement_acceptance TO citycard_app;
        """
    )


def downgrade() -> None:
    """Gone, with the proof of every consent in it."""
    op.execute("DROP TABLE agreement_acceptance")
