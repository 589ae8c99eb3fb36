"""The city code: batches of one-time authorisations, the hotlist, and trades taken without network."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE authorisation_batch (
  number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_authorisation_batch PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  card_id uuid NOT NULL CONSTRAINT fk_authorisation_batch_card_id REFERENCES card (id),
  device_id uuid NOT NULL,
  size smallint NOT NULL,
  limit_fen integer NOT NULL,
  concession smallint NOT NULL,
  starts_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  given_at timestamptz NOT NULL,
  listed_at timestamptz,
  ended_at timestamptz,
  CONSTRAINT ck_authorisation_batch_size CHECK (size BETWEEN 1 AND 200),
  CONSTRAINT ck_authorisation_batch_limit_fen CHECK (limit_fen BETWEEN 0 AND 1000000),
  CONSTRAINT ck_authorisation_batch_concession CHECK (concession BETWEEN 0 AND 255),
  CONSTRAINT ck_authorisation_batch_life CHECK (expires_at > starts_at AND expires_at <= starts_at + interval '24 hours')
);
CREATE INDEX ix_authorisation_batch_resident_id ON authorisation_batch (resident_id);
CREATE INDEX ix_authorisation_batch_device_id ON authorisation_batch (device_id);
CREATE INDEX ix_authorisation_batch_card_id ON authorisation_batch (card_id, expires_at);

CREATE TABLE hotlist_version (
  city_id integer NOT NULL CONSTRAINT pk_hotlist_version PRIMARY KEY,
  version bigint NOT NULL,
  changed_at timestamptz NOT NULL
);

CREATE TABLE hotlist_change (
  city_id integer NOT NULL,
  version bigint NOT NULL,
  entry bytea NOT NULL,
  listed boolean NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_hotlist_change PRIMARY KEY (city_id, version, entry),
  CONSTRAINT ck_hotlist_change_entry CHECK (octet_length(entry) = 5)
);
CREATE INDEX ix_hotlist_change_expires_at ON hotlist_change (expires_at);

CREATE TABLE hotlist_ack (
  terminal_id uuid NOT NULL CONSTRAINT pk_hotlist_ack PRIMARY KEY,
  city_id integer NOT NULL,
  version bigint NOT NULL,
  acknowledged_at timestamptz NOT NULL
);

CREATE TABLE offline_trade (
  terminal_id uuid NOT NULL,
  serial bigint NOT NULL,
  id uuid NOT NULL CONSTRAINT uq_offline_trade_id UNIQUE,
  city_id integer NOT NULL,
  resident_id uuid,
  card_id uuid,
  merchant_id uuid,
  authorisation bytea,
  content_hash bytea NOT NULL,
  amount_fen bigint NOT NULL,
  result text NOT NULL,
  reason text,
  transfer_id uuid,
  receipt_number text CONSTRAINT uq_offline_trade_receipt_number UNIQUE,
  repaid_by uuid,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT pk_offline_trade PRIMARY KEY (terminal_id, serial),
  CONSTRAINT ck_offline_trade_amount CHECK (amount_fen >= 0),
  CONSTRAINT ck_offline_trade_result CHECK (result IN ('paid', 'risk', 'noted', 'refused')),
  CONSTRAINT ck_offline_trade_transfer CHECK ((result IN ('paid', 'risk')) = (transfer_id IS NOT NULL)),
  CONSTRAINT ck_offline_trade_receipt CHECK ((result = 'paid') = (receipt_number IS NOT NULL)),
  CONSTRAINT ck_offline_trade_reason CHECK ((result IN ('risk', 'refused')) = (reason IS NOT NULL)),
  CONSTRAINT ck_offline_trade_repaid CHECK (repaid_by IS NULL OR result = 'risk')
);
CREATE UNIQUE INDEX uq_offline_trade_first ON offline_trade (authorisation) WHERE result IN ('paid', 'noted');
CREATE INDEX ix_offline_trade_authorisation ON offline_trade (authorisation);
CREATE INDEX ix_offline_trade_resident_id ON offline_trade (resident_id, id);

GRANT SELECT, INSERT, UPDATE (listed_at, ended_at) ON authorisation_batch TO citycard_app;
GRANT SELECT, INSERT, UPDATE ON hotlist_version, hotlist_ack TO citycard_app;
GRANT SELECT, INSERT, DELETE ON hotlist_change TO citycard_app;
GRANT SELECT, INSERT, UPDATE (repaid_by) ON offline_trade TO citycard_app;
"""


def upgrade() -> None:
    """Five tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Gone."""
    op.execute("DROP TABLE offline_trade, hotlist_ack, hotlist_change, hotlist_version, authorisation_batch")
