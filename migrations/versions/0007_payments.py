"""Payments: wallets, charges, and the function that posts charges."""

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


def downgrade() -> None:
    """Payments go before the ledger."""
    op.execute("DROP FUNCTION charge_post, receipt_number")
    op.execute("DROP TABLE charge, wallet")
    op.execute("DROP SEQUENCE receipt_running")
