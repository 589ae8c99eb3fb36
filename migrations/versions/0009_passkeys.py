"""Passkeys of residents, the challenges given out for them, and which passkey opened a session."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables, and one column of the session."""
    op.execute(
        """
        CREATE TABLE passkey (
          id uuid NOT NULL CONSTRAINT pk_passkey PRIMARY KEY,
          city_id integer NOT NULL,
          resident_id uuid NOT NULL CONSTRAINT fk_passkey_resident_id REFERENCES resident (id),
          credential_id bytea NOT NULL CONSTRAINT uq_passkey_credential_id UNIQUE,
          public_key bytea NOT NULL,
          sign_count bigint NOT NULL,
          backup_eligible boolean NOT NULL,
          backed_up boolean NOT NULL,
          transports text[] NOT NULL,
          name text NOT NULL,
          created_at timestamptz NOT NULL,
          used_at timestamptz,
          revoked_at timestamptz,
          revoked_because text,
          CONSTRAINT ck_passkey_credential_id CHECK (octet_length(credential_id) BETWEEN 16 AND 1023),
          CONSTRAINT ck_passkey_sign_count CHECK (sign_count BETWEEN 0 AND 4294967295),
          CONSTRAINT ck_passkey_backup CHECK (backup_eligible OR NOT backed_up),
          CONSTRAINT ck_passkey_revoked CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
        );
        CREATE INDEX ix_passkey_resident_id ON passkey (resident_id, id) WHERE revoked_at IS NULL;

        CREATE TABLE passkey_challenge (
          digest bytea NOT NULL CONSTRAINT pk_passkey_challenge PRIMARY KEY,
          city_id integer NOT NULL,
          resident_id uuid,
          purpose text NOT NULL,
          binding text NOT NULL,
          expires_at timestamptz NOT NULL,
          CONSTRAINT ck_passkey_challenge_purpose CHECK (purpose IN ('add', 'sign_in', 'step_up')),
          CONSTRAINT ck_passkey_challenge_resident CHECK ((purpose = 'sign_in') = (resident_id IS NULL))
        );
        CREATE INDEX ix_passkey_challenge_expires_at ON passkey_challenge (expires_at);
        CREATE INDEX ix_passkey_challenge_resident_id ON passkey_challenge (resident_id) WHERE resident_id IS NOT NULL;

        ALTER TABLE session ADD COLUMN passkey_id uuid
          CONSTRAINT fk_session_passkey_id REFERENCES passkey (id) ON DELETE SET NULL;
        CREATE INDEX ix_session_passkey_id ON session (passkey_id) WHERE passkey_id IS NOT NULL;

        -- Which key it is never changes; what changes is how often it was used and whether it still counts.
        GRANT SELECT, INSERT, DELETE, UPDATE (sign_count, backed_up, used_at, revoked_at, revoked_because) ON passkey TO citycard_app;
        GRANT SELECT, INSERT, DELETE ON passkey_challenge TO citycard_app;
        """
    )


def downgrade() -> None:
    """Gone; what was opened by a passkey stays open until it ends by itself."""
    op.execute("ALTER TABLE session DROP COLUMN passkey_id; DROP TABLE passkey_challenge; DROP TABLE passkey")
