"""Payments: merchants, wallets, charges and the function that posts them, top-ups, refunds."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE wallet (
  id uuid NOT NULL CONSTRAINT pk_wallet PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  mode text NOT NULL,
  account_id uuid CONSTRAINT uq_wallet_account_id UNIQUE,
  state text NOT NULL,
  single_limit_fen bigint NOT NULL,
  daily_limit_fen bigint NOT NULL,
  monthly_limit_fen bigint NOT NULL,
  spent_on date,
  spent_day_fen bigint DEFAULT 0 NOT NULL,
  spent_day_count integer DEFAULT 0 NOT NULL,
  spent_month date,
  spent_month_fen bigint DEFAULT 0 NOT NULL,
  opened_at timestamptz DEFAULT city_now() NOT NULL,
  CONSTRAINT uq_wallet_resident_id_city_id_mode UNIQUE (resident_id, city_id, mode),
  CONSTRAINT fk_wallet_account_id FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT ck_wallet_mode CHECK (mode IN ('platform', 'bank', 'transport', 'subsidy')),
  CONSTRAINT ck_wallet_state CHECK (state IN ('open', 'frozen', 'closed')),
  CONSTRAINT ck_wallet_account CHECK (mode <> 'platform' OR account_id IS NOT NULL),
  CONSTRAINT ck_wallet_limits CHECK (single_limit_fen >= 0 AND daily_limit_fen >= 0 AND monthly_limit_fen >= 0),
  CONSTRAINT ck_wallet_spent CHECK (spent_day_fen >= 0 AND spent_day_count >= 0 AND spent_month_fen >= 0)
) WITH (fillfactor = 70);

CREATE SEQUENCE receipt_running MINVALUE 1 MAXVALUE 999999999 CYCLE;

CREATE TABLE charge (
  id uuid NOT NULL CONSTRAINT pk_charge PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  card_id uuid NOT NULL,
  terminal_id uuid NOT NULL,
  merchant_id uuid NOT NULL,
  amount_fen bigint NOT NULL,
  refunded_fen bigint DEFAULT 0 NOT NULL,
  state text NOT NULL,
  transfer_id uuid NOT NULL,
  receipt_number text NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  facts jsonb NOT NULL,
  CONSTRAINT uq_charge_receipt_number UNIQUE (receipt_number),
  CONSTRAINT ck_charge_amount CHECK (amount_fen > 0),
  CONSTRAINT ck_charge_refunded CHECK (refunded_fen BETWEEN 0 AND amount_fen),
  CONSTRAINT ck_charge_state CHECK (state IN ('posted', 'reversed', 'refunded', 'partly_refunded'))
) WITH (fillfactor = 90);
CREATE INDEX ix_charge_resident_id ON charge (resident_id, id);
CREATE INDEX ix_charge_merchant_id ON charge (merchant_id, id);
"""

MOVING = """
CREATE TABLE merchant (
  id uuid NOT NULL CONSTRAINT pk_merchant PRIMARY KEY,
  city_id integer NOT NULL,
  zh text NOT NULL,
  en text NOT NULL,
  account_id uuid NOT NULL CONSTRAINT uq_merchant_account_id UNIQUE,
  refund_credit_fen bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  CONSTRAINT fk_merchant_account_id FOREIGN KEY (account_id) REFERENCES account (id),
  CONSTRAINT ck_merchant_refund_credit CHECK (refund_credit_fen >= 0)
);
CREATE INDEX ix_merchant_city_id ON merchant (city_id);

CREATE TABLE top_up (
  id uuid NOT NULL CONSTRAINT pk_top_up PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  wallet_id uuid NOT NULL,
  amount_fen bigint NOT NULL,
  provider text NOT NULL,
  order_number text NOT NULL,
  provider_number text,
  pay_url text,
  state text NOT NULL,
  reason text DEFAULT '' NOT NULL,
  receipt_number text,
  transfer_id uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  ask_at timestamptz,
  asked integer DEFAULT 0 NOT NULL,
  CONSTRAINT uq_top_up_provider_order_number UNIQUE (provider, order_number),
  CONSTRAINT uq_top_up_receipt_number UNIQUE (receipt_number),
  CONSTRAINT fk_top_up_wallet_id FOREIGN KEY (wallet_id) REFERENCES wallet (id),
  CONSTRAINT ck_top_up_amount CHECK (amount_fen > 0),
  CONSTRAINT ck_top_up_state CHECK (state IN ('created', 'pending', 'credited', 'failed', 'expired')),
  CONSTRAINT ck_top_up_credited CHECK ((state = 'credited') = (transfer_id IS NOT NULL)),
  CONSTRAINT ck_top_up_receipt CHECK ((state = 'credited') = (receipt_number IS NOT NULL)),
  CONSTRAINT ck_top_up_decided CHECK ((state IN ('created', 'pending')) = (decided_at IS NULL))
);
CREATE INDEX ix_top_up_resident_id ON top_up (resident_id, id);
CREATE INDEX ix_top_up_wallet_id ON top_up (wallet_id) WHERE decided_at IS NULL;
CREATE INDEX ix_top_up_ask_at ON top_up (ask_at) WHERE ask_at IS NOT NULL;

CREATE TABLE refund (
  id uuid NOT NULL CONSTRAINT pk_refund PRIMARY KEY,
  city_id integer NOT NULL,
  charge_id uuid NOT NULL,
  resident_id uuid NOT NULL,
  merchant_id uuid NOT NULL,
  terminal_id uuid NOT NULL,
  kind text NOT NULL,
  amount_fen bigint NOT NULL,
  reason text NOT NULL,
  transfer_id uuid NOT NULL,
  receipt_number text NOT NULL,
  balance_after_fen bigint NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT uq_refund_transfer_id UNIQUE (transfer_id),
  CONSTRAINT uq_refund_receipt_number UNIQUE (receipt_number),
  CONSTRAINT fk_refund_charge_id FOREIGN KEY (charge_id) REFERENCES charge (id),
  CONSTRAINT ck_refund_amount CHECK (amount_fen > 0),
  CONSTRAINT ck_refund_kind CHECK (kind IN ('reversal', 'refund'))
);
CREATE INDEX ix_refund_charge_id ON refund (charge_id);
CREATE INDEX ix_refund_resident_id ON refund (resident_id, id);
CREATE UNIQUE INDEX uq_refund_reversal ON refund (charge_id) WHERE kind = 'reversal';

CREATE TRIGGER refund_grows BEFORE UPDATE OR DELETE ON refund FOR EACH ROW EXECUTE FUNCTION append_only();
GRANT SELECT, INSERT ON refund TO citycard_app;
GRANT SELECT, INSERT, UPDATE (zh, en, closed_at) ON merchant TO citycard_app;
GRANT SELECT, INSERT, UPDATE (state, reason, provider_number, pay_url, receipt_number, transfer_id, decided_at, ask_at, asked) ON top_up
  TO citycard_app;
-- A reversal of the same day gives the day's and the month's room back.
GRANT UPDATE (spent_day_fen, spent_day_count, spent_month_fen) ON wallet TO citycard_app;
"""

GRANTS = """
REVOKE EXECUTE ON FUNCTION charge_post, receipt_number FROM PUBLIC;
GRANT EXECUTE ON FUNCTION charge_post, receipt_number TO citycard_app;
GRANT SELECT, INSERT, UPDATE (state, single_limit_fen, daily_limit_fen, monthly_limit_fen) ON wallet TO citycard_app;
GRANT USAGE ON SEQUENCE receipt_running TO citycard_app;
GRANT SELECT, UPDATE (refunded_fen, state) ON charge TO citycard_app;
"""


def upgrade() -> None:
    """Wallets and charges; a charge comes to be through its function alone."""
    op.execute(TABLES)
    op.execute(sql("receipt_number_v1"))
    op.execute(sql("charge_post_v1"))
    op.execute(GRANTS)
    op.execute(MOVING)


def downgrade() -> None:
    """Payments go before the ledger."""
    op.execute("DROP TABLE refund, top_up, merchant")
    op.execute("DROP FUNCTION charge_post, receipt_number")
    op.execute("DROP TABLE charge, wallet")
    op.execute("DROP SEQUENCE receipt_running")
