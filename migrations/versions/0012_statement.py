"""Bills: accounts that residents bind at agencies, bills, their payments, and the reconciliation with the agencies' days."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OLD_KINDS = "'top_up', 'charge', 'refund', 'reversal', 'settlement', 'fee', 'subsidy', 'adjustment'"
TABLES = """
CREATE TABLE bill_payment (
  id uuid NOT NULL CONSTRAINT pk_bill_payment PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  wallet_id uuid NOT NULL CONSTRAINT fk_bill_payment_wallet_id REFERENCES wallet (id),
  merchant_id uuid NOT NULL CONSTRAINT fk_bill_payment_merchant_id REFERENCES merchant (id),
  amount_fen bigint NOT NULL,
  purpose text NOT NULL,
  state text NOT NULL,
  reserve_id uuid NOT NULL CONSTRAINT uq_bill_payment_reserve_id UNIQUE,
  transfer_id uuid,
  refund_id uuid,
  receipt_number text CONSTRAINT uq_bill_payment_receipt_number UNIQUE,
  reserved_at timestamptz NOT NULL,
  decided_at timestamptz,
  CONSTRAINT ck_bill_payment_amount CHECK (amount_fen > 0),
  CONSTRAINT ck_bill_payment_state CHECK (state IN ('reserved', 'posted', 'voided', 'given_back')),
  CONSTRAINT ck_bill_payment_decided CHECK ((state = 'reserved') = (decided_at IS NULL)),
  CONSTRAINT ck_bill_payment_receipt CHECK ((state IN ('posted', 'given_back')) = (receipt_number IS NOT NULL)),
  CONSTRAINT ck_bill_payment_transfer CHECK ((state = 'reserved') = (transfer_id IS NULL)),
  CONSTRAINT ck_bill_payment_refund CHECK ((state = 'given_back') = (refund_id IS NOT NULL))
);
CREATE INDEX ix_bill_payment_resident_id ON bill_payment (resident_id, id);
CREATE INDEX ix_bill_payment_reserved ON bill_payment (id) WHERE state = 'reserved';
GRANT SELECT, INSERT, UPDATE (state, transfer_id, refund_id, receipt_number, decided_at) ON bill_payment TO citycard_app;

-- A bill counts against the limits of the wallet like a charge; the day and month of the counters are set with it.
GRANT UPDATE (spent_on, spent_month) ON wallet TO citycard_app;

CREATE TABLE item_switch (
  city_id integer NOT NULL,
  item text NOT NULL,
  off boolean NOT NULL,
  reason text NOT NULL,
  staff_id uuid NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT pk_item_switch PRIMARY KEY (city_id, item)
);
GRANT SELECT, INSERT, UPDATE ON item_switch TO citycard_app;

CREATE TABLE account_binding (
  id uuid NOT NULL CONSTRAINT pk_account_binding PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  item text NOT NULL,
  account_number text NOT NULL,
  alias text NOT NULL,
  relation text NOT NULL,
  masked_owner text NOT NULL,
  masked_address text NOT NULL,
  persons integer NOT NULL,
  shared_from uuid CONSTRAINT fk_account_binding_shared_from REFERENCES account_binding (id),
  bound_at timestamptz NOT NULL,
  unbound_at timestamptz,
  CONSTRAINT ck_account_binding_relation CHECK (relation IN ('owner', 'tenant', 'family', 'other'))
);
CREATE UNIQUE INDEX uq_account_binding_live ON account_binding (resident_id, item, account_number) WHERE unbound_at IS NULL;
CREATE INDEX ix_account_binding_shared_from ON account_binding (shared_from);
GRANT SELECT, INSERT, UPDATE (alias, masked_owner, masked_address, persons, unbound_at) ON account_binding TO citycard_app;

CREATE TABLE binding_share (
  id uuid NOT NULL CONSTRAINT pk_binding_share PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  binding_id uuid NOT NULL CONSTRAINT fk_binding_share_binding_id REFERENCES account_binding (id),
  code_mac bytea NOT NULL CONSTRAINT uq_binding_share_code_mac UNIQUE,
  made_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX ix_binding_share_resident_id ON binding_share (resident_id);
GRANT SELECT, INSERT, UPDATE (used_at), DELETE ON binding_share TO citycard_app;

CREATE TABLE bill (
  id uuid NOT NULL CONSTRAINT pk_bill PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  binding_id uuid NOT NULL CONSTRAINT fk_bill_binding_id REFERENCES account_binding (id),
  number text NOT NULL,
  period text NOT NULL,
  amount_fen bigint NOT NULL,
  state text NOT NULL,
  facts jsonb NOT NULL,
  fetched_at timestamptz NOT NULL,
  CONSTRAINT uq_bill_binding_id_number UNIQUE (binding_id, number),
  CONSTRAINT ck_bill_amount CHECK (amount_fen > 0),
  CONSTRAINT ck_bill_state CHECK (state IN ('due', 'paid'))
);
CREATE INDEX ix_bill_resident_id ON bill (resident_id, id);
GRANT SELECT, INSERT, UPDATE (amount_fen, state, facts, fetched_at), DELETE ON bill TO citycard_app;

CREATE TABLE bill_order (
  id uuid NOT NULL CONSTRAINT pk_bill_order PRIMARY KEY CONSTRAINT fk_bill_order_id REFERENCES bill_payment (id),
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  binding_id uuid NOT NULL CONSTRAINT fk_bill_order_binding_id REFERENCES account_binding (id),
  item text NOT NULL,
  account_number text NOT NULL,
  bill_number text NOT NULL,
  period text NOT NULL,
  amount_fen bigint NOT NULL,
  state text NOT NULL,
  reason text NOT NULL DEFAULT '',
  day date,
  company_number text,
  told integer NOT NULL DEFAULT 0,
  ask_at timestamptz,
  asked integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  decided_at timestamptz,
  CONSTRAINT ck_bill_order_amount CHECK (amount_fen > 0),
  CONSTRAINT ck_bill_order_state CHECK (state IN ('reserved', 'paid', 'refused', 'given_back')),
  CONSTRAINT ck_bill_order_decided CHECK ((state = 'reserved') = (decided_at IS NULL)),
  CONSTRAINT ck_bill_order_paid CHECK ((state IN ('paid', 'given_back')) = (company_number IS NOT NULL AND day IS NOT NULL))
);
CREATE UNIQUE INDEX uq_bill_order_live ON bill_order (city_id, item, bill_number) WHERE state IN ('reserved', 'paid');
CREATE INDEX ix_bill_order_resident_id ON bill_order (resident_id, id);
CREATE INDEX ix_bill_order_day ON bill_order (city_id, item, day);
CREATE INDEX ix_bill_order_ask_at ON bill_order (ask_at) WHERE ask_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE (state, reason, day, company_number, told, ask_at, asked, decided_at) ON bill_order TO citycard_app;

CREATE TABLE reconciliation (
  id uuid NOT NULL CONSTRAINT pk_reconciliation PRIMARY KEY,
  city_id integer NOT NULL,
  item text NOT NULL,
  day date NOT NULL,
  state text NOT NULL,
  file_hash bytea NOT NULL,
  equal integer NOT NULL,
  ours_fen bigint NOT NULL,
  theirs_fen bigint NOT NULL,
  differences integer NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT ck_reconciliation_state CHECK (state IN ('equal', 'different', 'damaged'))
);
CREATE INDEX ix_reconciliation_city_id ON reconciliation (city_id, item, day);
GRANT SELECT, INSERT ON reconciliation TO citycard_app;

CREATE TABLE difference (
  id uuid NOT NULL CONSTRAINT pk_difference PRIMARY KEY,
  city_id integer NOT NULL,
  reconciliation_id uuid NOT NULL CONSTRAINT fk_difference_reconciliation_id REFERENCES reconciliation (id),
  item text NOT NULL,
  day date NOT NULL,
  kind text NOT NULL,
  number text NOT NULL,
  ours_fen bigint,
  theirs_fen bigint,
  note text NOT NULL,
  state text NOT NULL,
  remedy text,
  reason text NOT NULL DEFAULT '',
  proposed_by uuid,
  proposed_at timestamptz,
  approved_by uuid,
  approved_at timestamptz,
  transfer_id uuid,
  CONSTRAINT uq_difference_city_id_item_day_kind_number UNIQUE (city_id, item, day, kind, number),
  CONSTRAINT ck_difference_kind CHECK (kind IN ('missing', 'extra', 'differ', 'damaged')),
  CONSTRAINT ck_difference_state CHECK (state IN ('open', 'proposed', 'repaired')),
  CONSTRAINT ck_difference_remedy CHECK (remedy IN ('give_back', 'adjust', 'note')),
  CONSTRAINT ck_difference_proposed CHECK ((state = 'open') = (proposed_by IS NULL)),
  CONSTRAINT ck_difference_approved CHECK ((state = 'repaired') = (approved_by IS NOT NULL)),
  CONSTRAINT ck_difference_two_people CHECK (approved_by <> proposed_by)
);
CREATE INDEX ix_difference_city_id ON difference (city_id, id);
GRANT SELECT, INSERT, UPDATE (state, remedy, reason, proposed_by, proposed_at, approved_by, approved_at, transfer_id)
  ON difference TO citycard_app;
"""


def upgrade() -> None:
    """The ledger learns the two kinds of a bill's transfers first."""
    op.execute("ALTER TABLE transfer DROP CONSTRAINT ck_transfer_kind")
    op.execute(f"ALTER TABLE transfer ADD CONSTRAINT ck_transfer_kind CHECK (kind IN ({OLD_KINDS}, 'reserve', 'bill'))")
    op.execute(sql("ledger_post_v2"))
    op.execute(TABLES)


def downgrade() -> None:
    """Refused by the constraint while the books hold transfers of bills: books are not forgotten."""
    op.execute("DROP TABLE difference, reconciliation, bill_order, bill, binding_share, account_binding, item_switch, bill_payment")
    op.execute("REVOKE UPDATE (spent_on, spent_month) ON wallet FROM citycard_app")
    op.execute(sql("ledger_post_v1").replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
    op.execute("ALTER TABLE transfer DROP CONSTRAINT ck_transfer_kind")
    op.execute(f"ALTER TABLE transfer ADD CONSTRAINT ck_transfer_kind CHECK (kind IN ({OLD_KINDS}))")
