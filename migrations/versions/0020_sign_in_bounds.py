"""What bounds a sign-in: the key of an authorization code (RFC 9449 section 10), offline access in a consent, two people for new staff."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


STAFF = """
ALTER TABLE staff
  ALTER COLUMN password_hash DROP NOT NULL,
  ALTER COLUMN totp_wrapped DROP NOT NULL,
  ADD COLUMN admitted_by uuid CONSTRAINT fk_staff_admitted_by REFERENCES staff (id),
  ADD COLUMN confirmed_by uuid CONSTRAINT fk_staff_confirmed_by REFERENCES staff (id),
  ADD COLUMN enrolment_digest bytea CONSTRAINT uq_staff_enrolment_digest UNIQUE,
  ADD COLUMN enrolment_expires_at timestamptz,
  ADD COLUMN enrolled_at timestamptz;
UPDATE staff SET enrolled_at = created_at;
ALTER TABLE staff
  ADD CONSTRAINT ck_staff_enrolled
    CHECK ((enrolled_at IS NULL) = (password_hash IS NULL) AND (enrolled_at IS NULL OR totp_wrapped IS NOT NULL)),
  ADD CONSTRAINT ck_staff_admitted CHECK (enrolled_at IS NOT NULL OR admitted_by IS NOT NULL),
  ADD CONSTRAINT ck_staff_two_people CHECK (confirmed_by <> admitted_by AND confirmed_by <> id),
  ADD CONSTRAINT ck_staff_confirmed
    CHECK (admitted_by IS NULL OR confirmed_by IS NOT NULL OR (enrolled_at IS NULL AND enrolment_digest IS NULL)),
  ADD CONSTRAINT ck_staff_enrolment
    CHECK ((enrolment_digest IS NULL) = (enrolment_expires_at IS NULL) AND (enrolment_digest IS NULL OR enrolled_at IS NULL));
"""
NO_STAFF = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM staff WHERE enrolled_at IS NULL) THEN
    RAISE EXCEPTION 'somebody admitted has not enrolled yet; without these columns everybody has a password';
  END IF;
END $$;
ALTER TABLE staff
  DROP CONSTRAINT ck_staff_enrolled, DROP CONSTRAINT ck_staff_admitted, DROP CONSTRAINT ck_staff_two_people,
  DROP CONSTRAINT ck_staff_confirmed, DROP CONSTRAINT ck_staff_enrolment,
  DROP COLUMN admitted_by, DROP COLUMN confirmed_by, DROP COLUMN enrolment_digest, DROP COLUMN enrolment_expires_at,
  DROP COLUMN enrolled_at,
  ALTER COLUMN password_hash SET NOT NULL,
  ALTER COLUMN totp_wrapped SET NOT NULL;
"""


def upgrade() -> None:
    """Codes given before are bound to no key, nobody who consented before was asked about offline access, and staff of before enrolled then."""
    op.execute("ALTER TABLE oauth_grant ADD COLUMN code_thumbprint text")
    op.execute("ALTER TABLE consent ADD COLUMN offline boolean DEFAULT false NOT NULL")
    op.execute(STAFF)


def downgrade() -> None:
    """Refused while somebody has not enrolled; a code lives a minute, and offline access is asked for again."""
    op.execute(NO_STAFF)
    op.execute("ALTER TABLE consent DROP COLUMN offline")
    op.execute("ALTER TABLE oauth_grant DROP COLUMN code_thumbprint")
