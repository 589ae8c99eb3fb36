"""The ledger: accounts, transfers by month, reversals, and the functions that alone may write them."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE account (
  id uuid NOT NULL CONSTRAINT pk_account PRIMARY KEY,
  city_id integer NOT NULL,
  kind text NOT NULL,
  owner_id uuid,
  balance bigint NOT NULL,
  floor bigint,
  entries bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  CONSTRAINT ck_account_kind CHECK (kind IN ('wallet', 'merchant', 'clearing', 'bank', 'revenue', 'subsidy', 'suspense')),
  CONSTRAINT ck_account_floor CHECK (floor IS NULL OR balance >= floor)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
CREATE INDEX ix_account_owner_id ON account (owner_id) WHERE owner_id IS NOT NULL;

CREATE TABLE transfer (
  id uuid NOT NULL CONSTRAINT pk_transfer PRIMARY KEY,
  city_id integer NOT NULL,
  kind text NOT NULL,
  debit_account uuid NOT NULL,
  credit_account uuid NOT NULL,
  amount_fen bigint NOT NULL,
  debit_balance_after bigint NOT NULL,
  credit_balance_after bigint NOT NULL,
  debit_entry bigint NOT NULL,
  credit_entry bigint NOT NULL,
  reference uuid,
  reverses uuid,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  txid bigint NOT NULL,
  row_hash bytea NOT NULL,
  CONSTRAINT ck_transfer_amount CHECK (amount_fen BETWEEN 1 AND 100000000000),
  CONSTRAINT ck_transfer_sides CHECK (debit_account <> credit_account),
  CONSTRAINT ck_transfer_kind CHECK (kind IN ('top_up', 'charge', 'refund', 'reversal', 'settlement', 'fee', 'subsidy', 'adjustment')),
  CONSTRAINT ck_transfer_reversal CHECK ((kind = 'reversal') = (reverses IS NOT NULL))
) PARTITION BY RANGE (id);
CREATE INDEX ix_transfer_debit_account ON transfer (debit_account, debit_entry);
CREATE INDEX ix_transfer_credit_account ON transfer (credit_account, credit_entry);
CREATE INDEX ix_transfer_txid ON transfer USING brin (txid) WITH (pages_per_range = 16);

CREATE TABLE reversed_transfer (
  transfer_id uuid NOT NULL CONSTRAINT pk_reversed_transfer PRIMARY KEY,
  reversed_by uuid NOT NULL
);
"""

FUNCTIONS = (
    "ledger_floor_id_v1",
    "ledger_transfer_hash_v1",
    "ledger_guard_v1",
    "ledger_open_v1",
    "ledger_reverse_v1",
    "ledger_post_v1",
    "ledger_add_month_v1",
)

GUARDS = """
CREATE TRIGGER transfer_grows BEFORE UPDATE OR DELETE ON transfer FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER transfer_kept BEFORE TRUNCATE ON transfer FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER reversed_transfer_grows BEFORE UPDATE OR DELETE ON reversed_transfer FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER reversed_transfer_kept BEFORE TRUNCATE ON reversed_transfer FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER account_stands BEFORE UPDATE OF id, city_id, kind, owner_id, floor, opened_at OR DELETE ON account
  FOR EACH ROW EXECUTE FUNCTION ledger_guard();
CREATE TRIGGER account_moves BEFORE UPDATE OF balance, entries ON account
  FOR EACH ROW WHEN (NEW.entries <= OLD.entries) EXECUTE FUNCTION ledger_guard();
CREATE TRIGGER account_begins BEFORE INSERT ON account
  FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.entries <> 0) EXECUTE FUNCTION ledger_guard();
CREATE TRIGGER account_kept BEFORE TRUNCATE ON account FOR EACH STATEMENT EXECUTE FUNCTION append_only();

SELECT ledger_add_month((date_trunc('month', city_now() AT TIME ZONE 'UTC') + make_interval(months => n))::date)
  FROM generate_series(-1, 13) AS n;

REVOKE EXECUTE ON FUNCTION ledger_floor_id, ledger_transfer_hash, ledger_guard, ledger_open, ledger_reverse, ledger_post, ledger_add_month
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_floor_id, ledger_transfer_hash, ledger_open, ledger_post, ledger_add_month TO citycard_app;
GRANT SELECT ON account, transfer, reversed_transfer TO citycard_app;
"""


def upgrade() -> None:
    """Accounts and transfers that only the ledger's own functions write."""
    op.execute(TABLES)
    for function in FUNCTIONS:
        op.execute(sql(function))
    op.execute(GUARDS)


def downgrade() -> None:
    """The books go; the city must not have begun."""
    op.execute("DROP TABLE transfer, reversed_transfer, account")
    op.execute(
        "DROP FUNCTION ledger_add_month, ledger_post, ledger_reverse, ledger_open, ledger_guard, ledger_transfer_hash, ledger_floor_id"
    )
