"""The auth floor: residents, evidence, devices, staff, sessions, codes, face checks, terminals."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PEOPLE = """
CREATE TABLE resident (
  id uuid NOT NULL CONSTRAINT pk_resident PRIMARY KEY,
  city_id integer NOT NULL,
  state text NOT NULL,
  phone_sealed bytea,
  phone_blind bytea,
  name_sealed bytea,
  citizen_number_sealed bytea,
  citizen_number_blind bytea,
  birth_date_sealed bytea,
  birth_year smallint,
  masked_name text DEFAULT '' NOT NULL,
  identity_level smallint NOT NULL,
  created_at timestamptz NOT NULL,
  closed_at timestamptz,
  version integer DEFAULT 1 NOT NULL,
  CONSTRAINT uq_resident_phone UNIQUE (city_id, phone_blind),
  CONSTRAINT uq_resident_citizen_number UNIQUE (city_id, citizen_number_blind),
  CONSTRAINT ck_resident_phone CHECK ((phone_blind IS NULL) = (phone_sealed IS NULL) AND (phone_blind IS NOT NULL OR identity_level > 1)),
  CONSTRAINT ck_resident_level CHECK (identity_level BETWEEN 1 AND 4),
  CONSTRAINT ck_resident_state CHECK (state IN ('active', 'closed') AND (state = 'closed') = (closed_at IS NOT NULL)),
  CONSTRAINT ck_resident_named CHECK (identity_level < 2 OR (name_sealed IS NOT NULL AND citizen_number_sealed IS NOT NULL
    AND citizen_number_blind IS NOT NULL AND birth_date_sealed IS NOT NULL AND masked_name <> ''))
);

CREATE TABLE identity_evidence (
  id uuid NOT NULL CONSTRAINT pk_identity_evidence PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL CONSTRAINT fk_identity_evidence_resident_id REFERENCES resident (id),
  method text NOT NULL,
  level smallint NOT NULL,
  proved_at timestamptz NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid NOT NULL,
  reference text DEFAULT '' NOT NULL
);
CREATE INDEX ix_identity_evidence_resident_id ON identity_evidence (resident_id, id);
CREATE TRIGGER identity_evidence_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_evidence
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE device (
  id uuid NOT NULL CONSTRAINT pk_device PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL CONSTRAINT fk_device_resident_id REFERENCES resident (id),
  thumbprint text NOT NULL,
  public_jwk jsonb NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz NOT NULL,
  proved_at timestamptz,
  revoked_at timestamptz
);
CREATE UNIQUE INDEX uq_device_live ON device (resident_id, thumbprint) WHERE revoked_at IS NULL;
CREATE INDEX ix_device_thumbprint ON device (thumbprint);

CREATE TABLE staff (
  id uuid NOT NULL CONSTRAINT pk_staff PRIMARY KEY,
  city_id integer NOT NULL,
  agency_id uuid,
  login text NOT NULL,
  display_name text NOT NULL,
  roles text[] NOT NULL,
  password_hash text NOT NULL,
  totp_wrapped bytea NOT NULL,
  totp_step bigint DEFAULT 0 NOT NULL,
  failures integer DEFAULT 0 NOT NULL,
  locked_until timestamptz,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL,
  CONSTRAINT uq_staff_login UNIQUE (city_id, login)
);
"""

SIGNING_IN = """
CREATE TABLE session (
  id uuid NOT NULL CONSTRAINT pk_session PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid CONSTRAINT fk_session_resident_id REFERENCES resident (id),
  staff_id uuid CONSTRAINT fk_session_staff_id REFERENCES staff (id),
  device_id uuid CONSTRAINT fk_session_device_id REFERENCES device (id),
  thumbprint text NOT NULL,
  strength smallint NOT NULL,
  proved_at timestamptz NOT NULL,
  started_at timestamptz NOT NULL,
  used_at timestamptz NOT NULL,
  idle_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  ended_because text,
  current_digest bytea NOT NULL,
  previous_digest bytea,
  rotated_at timestamptz NOT NULL,
  rotations integer DEFAULT 0 NOT NULL,
  CONSTRAINT ck_session_one_owner CHECK ((resident_id IS NULL) <> (staff_id IS NULL)),
  CONSTRAINT ck_session_strength CHECK (strength BETWEEN 1 AND 3)
);
CREATE INDEX ix_session_resident_id ON session (resident_id, id) WHERE ended_at IS NULL;
CREATE INDEX ix_session_staff_id ON session (staff_id, id) WHERE ended_at IS NULL;
CREATE INDEX ix_session_expires_at ON session (expires_at);

CREATE TABLE sign_in_code (
  city_id integer NOT NULL,
  phone_blind bytea NOT NULL,
  binding text NOT NULL,
  code_mac bytea NOT NULL,
  tries smallint DEFAULT 0 NOT NULL,
  sent_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CONSTRAINT pk_sign_in_code PRIMARY KEY (city_id, phone_blind, binding),
  CONSTRAINT ck_sign_in_code_tries CHECK (tries BETWEEN 0 AND 5)
);
CREATE INDEX ix_sign_in_code_expires_at ON sign_in_code (expires_at);

CREATE TABLE sign_in_request (
  id uuid NOT NULL CONSTRAINT pk_sign_in_request PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL CONSTRAINT fk_sign_in_request_resident_id REFERENCES resident (id),
  thumbprint text NOT NULL,
  device_name text NOT NULL,
  state text NOT NULL,
  approved_by text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  CONSTRAINT ck_sign_in_request_state CHECK (state IN ('waiting', 'approved', 'refused', 'used'))
);
CREATE INDEX ix_sign_in_request_resident_id ON sign_in_request (resident_id, id);

CREATE TABLE face_check (
  id uuid NOT NULL CONSTRAINT pk_face_check PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL CONSTRAINT fk_face_check_resident_id REFERENCES resident (id),
  request_id uuid CONSTRAINT fk_face_check_request_id REFERENCES sign_in_request (id),
  nonce text NOT NULL,
  state text NOT NULL,
  reason text DEFAULT '' NOT NULL,
  opened_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  CONSTRAINT ck_face_check_state CHECK (state IN ('open', 'deciding', 'passed', 'failed')),
  CONSTRAINT uq_face_check_nonce UNIQUE (nonce)
);
CREATE INDEX ix_face_check_resident_id ON face_check (resident_id, id);

CREATE TABLE used_proof (
  digest bytea NOT NULL CONSTRAINT pk_used_proof PRIMARY KEY,
  expires_at timestamptz NOT NULL
);
CREATE INDEX ix_used_proof_expires_at ON used_proof (expires_at);
"""

TERMINALS = """
CREATE TABLE terminal (
  id uuid NOT NULL CONSTRAINT pk_terminal PRIMARY KEY,
  city_id integer NOT NULL,
  merchant_id uuid,
  agency_id uuid,
  account_id uuid,
  name text NOT NULL,
  functions text[] NOT NULL,
  state text NOT NULL,
  public_jwk jsonb,
  thumbprint text,
  enrolment_digest bytea,
  enrolment_expires_at timestamptz,
  created_at timestamptz NOT NULL,
  enrolled_at timestamptz,
  disabled_at timestamptz,
  version integer DEFAULT 1 NOT NULL,
  CONSTRAINT ck_terminal_state CHECK (state IN ('registered', 'active', 'disabled')),
  CONSTRAINT ck_terminal_key CHECK (state <> 'active' OR (public_jwk IS NOT NULL AND thumbprint IS NOT NULL)),
  CONSTRAINT uq_terminal_thumbprint UNIQUE (thumbprint),
  CONSTRAINT uq_terminal_enrolment_digest UNIQUE (enrolment_digest)
);
CREATE INDEX ix_terminal_city_id ON terminal (city_id, id);
CREATE INDEX ix_terminal_merchant_id ON terminal (merchant_id);
"""

GUARD = """
CREATE TRIGGER resident_level_guard BEFORE UPDATE ON resident FOR EACH ROW EXECUTE FUNCTION resident_level_guard();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON resident, device, staff, session, sign_in_request, face_check, terminal TO citycard_app;
GRANT SELECT, INSERT ON identity_evidence TO citycard_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_code TO citycard_app;
GRANT SELECT, INSERT, DELETE ON used_proof TO citycard_app;
"""


def upgrade() -> None:
    op.execute(PEOPLE)
    op.execute(SIGNING_IN)
    op.execute(TERMINALS)
    op.execute(sql("resident_level_guard_v1"))
    op.execute(GUARD)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("DROP TABLE terminal, used_proof, face_check, sign_in_request, sign_in_code, session, staff, device, identity_evidence, resident")
    op.execute("DROP FUNCTION resident_level_guard()")
