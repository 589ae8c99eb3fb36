"""The ground floor: clock, revocation, idempotency, limits, audit, outbox, seals, keys, files."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE clock_offset (
  one_row boolean DEFAULT true NOT NULL CONSTRAINT pk_clock_offset PRIMARY KEY,
  "offset" interval DEFAULT '0' NOT NULL,
  CONSTRAINT ck_clock_offset_one_row CHECK (one_row)
);
INSERT INTO clock_offset DEFAULT VALUES;

CREATE TABLE revocation (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_revocation PRIMARY KEY,
  subject text NOT NULL,
  not_before timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX ix_revocation_recorded_at ON revocation (recorded_at);

CREATE TABLE limit_counter (
  name text NOT NULL,
  key text NOT NULL,
  window_start timestamptz NOT NULL,
  used integer NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_limit_counter PRIMARY KEY (name, key, window_start)
) WITH (fillfactor = 70);
CREATE INDEX ix_limit_counter_expires_at ON limit_counter (expires_at);

CREATE TABLE audit (
  id uuid NOT NULL CONSTRAINT pk_audit PRIMARY KEY,
  city_id integer NOT NULL,
  at timestamptz DEFAULT city_now() NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid NOT NULL,
  event text NOT NULL,
  subject text NOT NULL,
  resident_id uuid,
  outcome text NOT NULL,
  detail jsonb DEFAULT '{}' NOT NULL,
  request_id uuid,
  txid bigint DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL,
  row_hash bytea NOT NULL
);
CREATE INDEX ix_audit_resident_id ON audit (resident_id, id) WHERE resident_id IS NOT NULL;
CREATE INDEX ix_audit_txid ON audit USING brin (txid) WITH (pages_per_range = 16);

CREATE TABLE data_use (
  id uuid NOT NULL CONSTRAINT pk_data_use PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  at timestamptz DEFAULT city_now() NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid NOT NULL,
  purpose text NOT NULL,
  fields text[] NOT NULL,
  txid bigint DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL
);
CREATE INDEX ix_data_use_resident_id ON data_use (resident_id, id);
CREATE INDEX ix_data_use_txid ON data_use USING brin (txid) WITH (pages_per_range = 16);

CREATE TABLE outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
  id uuid NOT NULL,
  city_id integer NOT NULL,
  event text NOT NULL,
  subject text NOT NULL,
  payload jsonb NOT NULL,
  occurred_at timestamptz DEFAULT city_now() NOT NULL,
  txid bigint DEFAULT (pg_current_xact_id()::text::bigint) NOT NULL
);
CREATE INDEX ix_outbox_txid ON outbox (txid, seq);

CREATE TABLE outbox_cursor (
  listener text NOT NULL CONSTRAINT pk_outbox_cursor PRIMARY KEY,
  txid bigint NOT NULL,
  seq bigint NOT NULL
);

CREATE TABLE outbox_parked (
  listener text NOT NULL,
  seq bigint NOT NULL,
  subject text NOT NULL,
  attempts integer NOT NULL,
  next_at timestamptz NOT NULL,
  why text NOT NULL,
  CONSTRAINT pk_outbox_parked PRIMARY KEY (listener, seq)
);
CREATE INDEX ix_outbox_parked_subject ON outbox_parked (listener, subject, seq);

CREATE TABLE seal (
  chain text NOT NULL,
  number bigint NOT NULL,
  from_txid bigint NOT NULL,
  to_txid bigint NOT NULL,
  rows integer NOT NULL,
  previous bytea NOT NULL,
  hash bytea NOT NULL,
  kid text NOT NULL,
  signature bytea NOT NULL,
  sealed_at timestamptz NOT NULL,
  CONSTRAINT pk_seal PRIMARY KEY (chain, number)
);

CREATE TABLE idempotency (
  principal uuid NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  status smallint NOT NULL,
  answer jsonb,
  replays integer DEFAULT 0 NOT NULL,
  created_at timestamptz DEFAULT city_now() NOT NULL,
  CONSTRAINT pk_idempotency PRIMARY KEY (principal, key)
) WITH (fillfactor = 90);
CREATE INDEX ix_idempotency_created_at ON idempotency USING brin (created_at) WITH (pages_per_range = 16);

CREATE TABLE resident_key (
  resident_id uuid NOT NULL CONSTRAINT pk_resident_key PRIMARY KEY,
  city_id integer NOT NULL,
  wrapped bytea,
  key_version integer NOT NULL,
  shredded_at timestamptz
);

CREATE TABLE signing_key (
  kid text NOT NULL CONSTRAINT pk_signing_key PRIMARY KEY,
  purpose text NOT NULL,
  city_id integer DEFAULT 0 NOT NULL,
  wrapped bytea NOT NULL,
  public_jwk jsonb NOT NULL,
  not_before timestamptz NOT NULL,
  retired_at timestamptz
);

CREATE TABLE file (
  id uuid NOT NULL CONSTRAINT pk_file PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  media_type text NOT NULL,
  size bigint NOT NULL,
  sha256 bytea NOT NULL,
  purpose text NOT NULL,
  created_at timestamptz NOT NULL,
  deleted_at timestamptz
);
CREATE INDEX ix_file_resident_id ON file (resident_id);
"""

GUARDS = """
CREATE TRIGGER audit_stamp BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_stamp();
CREATE TRIGGER audit_grows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_kept BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER data_use_grows BEFORE UPDATE OR DELETE ON data_use FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER seal_grows BEFORE UPDATE OR DELETE ON seal FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER seal_kept BEFORE TRUNCATE ON seal FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT ON clock_offset TO citycard_app;
GRANT SELECT, INSERT ON revocation, audit, data_use, seal TO citycard_app;
GRANT DELETE ON revocation TO citycard_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON limit_counter, outbox_cursor, outbox_parked, resident_key, file TO citycard_app;
GRANT SELECT, INSERT, DELETE, UPDATE (status, answer, replays, created_at) ON idempotency TO citycard_app;
GRANT SELECT, INSERT, DELETE ON outbox TO citycard_app;
GRANT SELECT, INSERT, UPDATE (retired_at) ON signing_key TO citycard_app;
REVOKE EXECUTE ON FUNCTION audit_stamp() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION city_now() TO citycard_app;
"""


def upgrade() -> None:
    """Everything the other floors stand on."""
    before_now, rest = TABLES.split("CREATE TABLE revocation", 1)
    op.execute(before_now)
    op.execute(sql("city_now_v1"))
    op.execute("CREATE TABLE revocation" + rest)
    op.execute(sql("append_only_v1"))
    op.execute(sql("audit_stamp_v1"))
    op.execute(GUARDS)


def downgrade() -> None:
    """Back to an empty database."""
    op.execute("DROP TABLE file, signing_key, resident_key, idempotency, seal, outbox_parked, outbox_cursor, outbox, data_use")
    op.execute("DROP FUNCTION audit_row_hash(audit)")
    op.execute("DROP TABLE audit, limit_counter, revocation")
    op.execute("DROP FUNCTION audit_stamp(), append_only(), city_now()")
    op.execute("DROP TABLE clock_offset")
