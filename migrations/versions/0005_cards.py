"""Cards: products and number ranges, cards and their events, handles of pay codes, consumed and presented codes."""

from __future__ import annotations

from alembic import op

from migrations.tables import sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE card_product (
  city_id integer NOT NULL,
  code text NOT NULL,
  zh text NOT NULL,
  en text NOT NULL,
  issuer text NOT NULL,
  number_prefix text,
  wallet_mode text NOT NULL,
  terms jsonb NOT NULL,
  withdrawn_at timestamptz,
  CONSTRAINT pk_card_product PRIMARY KEY (city_id, code)
);

CREATE TABLE card_range (
  id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_card_range PRIMARY KEY,
  issuer text NOT NULL,
  prefix text NOT NULL,
  width smallint NOT NULL,
  first_number bigint NOT NULL,
  last_number bigint NOT NULL,
  sequence text NOT NULL,
  CONSTRAINT uq_card_range_issuer_prefix UNIQUE (issuer, prefix),
  CONSTRAINT ck_card_range_digits CHECK (prefix ~ '^[0-9]{1,12}$' AND width BETWEEN 1 AND 17 AND length(prefix) + width <= 18),
  CONSTRAINT ck_card_range_bounds CHECK (first_number >= 0 AND first_number <= last_number AND last_number < 10::numeric ^ width)
);

CREATE TABLE card (
  id uuid NOT NULL CONSTRAINT pk_card PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  product text NOT NULL,
  issuer text NOT NULL,
  number text NOT NULL,
  form text NOT NULL,
  state text NOT NULL,
  lost_at timestamptz,
  loss_kind text,
  loss_lapses_at timestamptz,
  loss_lapse text,
  frozen_at timestamptz,
  locked_at timestamptz,
  bad_at timestamptz,
  expires_on date NOT NULL,
  masked_name text NOT NULL,
  concession text,
  wallet_account_id uuid,
  bound_by text,
  mirrored_status text,
  mirrored_at timestamptz,
  replaced_by uuid,
  issued_at timestamptz NOT NULL,
  version integer NOT NULL,
  CONSTRAINT uq_card_issuer_number UNIQUE (issuer, number),
  CONSTRAINT fk_card_product FOREIGN KEY (city_id, product) REFERENCES card_product (city_id, code),
  CONSTRAINT ck_card_form CHECK (form IN ('virtual', 'physical')),
  CONSTRAINT ck_card_state CHECK (state IN ('inactive', 'active', 'replaced', 'cancelled')),
  CONSTRAINT ck_card_number CHECK (number ~ '^[0-9A-Z]{4,32}$'),
  CONSTRAINT ck_card_loss_kind CHECK ((lost_at IS NULL) = (loss_kind IS NULL)),
  CONSTRAINT ck_card_loss_kind_known CHECK (loss_kind IN ('temporary', 'formal')),
  CONSTRAINT ck_card_loss_lapses CHECK ((loss_kind IS NOT DISTINCT FROM 'temporary') = (loss_lapses_at IS NOT NULL)),
  CONSTRAINT ck_card_loss_lapse CHECK ((loss_lapses_at IS NULL) = (loss_lapse IS NULL) AND loss_lapse IN ('release', 'cancel')),
  CONSTRAINT ck_card_replaced_by CHECK ((state = 'replaced') = (replaced_by IS NOT NULL)),
  CONSTRAINT ck_card_version CHECK (version >= 1)
) WITH (fillfactor = 90);
CREATE INDEX ix_card_resident_id ON card (resident_id);
CREATE UNIQUE INDEX uq_card_live_virtual ON card (city_id, resident_id, product) WHERE form = 'virtual' AND state IN ('inactive', 'active');
CREATE INDEX ix_card_loss_lapses_at ON card (loss_lapses_at) WHERE loss_lapses_at IS NOT NULL;

CREATE TABLE card_event (
  card_id uuid NOT NULL,
  ordinal integer NOT NULL,
  previous integer GENERATED ALWAYS AS (nullif(ordinal - 1, 0)) STORED,
  id uuid NOT NULL,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL,
  event text NOT NULL,
  state_before text,
  state_after text NOT NULL,
  actor_kind text NOT NULL,
  actor_id uuid NOT NULL,
  reason text,
  facts jsonb NOT NULL,
  occurred_at timestamptz NOT NULL,
  CONSTRAINT pk_card_event PRIMARY KEY (card_id, ordinal),
  CONSTRAINT uq_card_event_id UNIQUE (id),
  CONSTRAINT fk_card_event_card_id FOREIGN KEY (card_id) REFERENCES card (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT fk_card_event_previous FOREIGN KEY (card_id, previous) REFERENCES card_event (card_id, ordinal),
  CONSTRAINT ck_card_event_ordinal CHECK (ordinal >= 1)
);
CREATE INDEX ix_card_event_resident_id ON card_event (resident_id, id);
ALTER TABLE card ADD CONSTRAINT fk_card_version FOREIGN KEY (id, version) REFERENCES card_event (card_id, ordinal)
  DEFERRABLE INITIALLY DEFERRED;

CREATE SEQUENCE pay_handle_number MINVALUE 0 MAXVALUE 49999999 START 0 NO CYCLE;
CREATE TABLE pay_handle (
  handle bigint NOT NULL CONSTRAINT pk_pay_handle PRIMARY KEY,
  city_id integer NOT NULL,
  device_id uuid NOT NULL,
  card_id uuid NOT NULL CONSTRAINT fk_pay_handle_card_id REFERENCES card (id),
  resident_id uuid NOT NULL,
  generation integer NOT NULL,
  given_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CONSTRAINT ck_pay_handle_handle CHECK (handle >= 0 AND handle < 50000000),
  CONSTRAINT ck_pay_handle_generation CHECK (generation >= 1)
);
CREATE INDEX ix_pay_handle_resident_id ON pay_handle (resident_id);
CREATE INDEX ix_pay_handle_card_id ON pay_handle (card_id);
CREATE UNIQUE INDEX uq_pay_handle_live ON pay_handle (device_id, card_id) WHERE revoked_at IS NULL;
CREATE INDEX ix_pay_handle_revoked_at ON pay_handle (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE code_used (
  handle bigint NOT NULL,
  step bigint NOT NULL,
  tap smallint NOT NULL,
  charge_id uuid NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT pk_code_used PRIMARY KEY (handle, step, tap)
);

CREATE UNLOGGED TABLE presented (
  handle bigint NOT NULL,
  step bigint NOT NULL,
  tap smallint NOT NULL,
  id uuid NOT NULL,
  terminal_id uuid NOT NULL,
  card_id uuid NOT NULL,
  at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_presented PRIMARY KEY (handle, step, tap),
  CONSTRAINT uq_presented_id UNIQUE (id)
);
INSERT INTO presented VALUES (-1, 0, 0, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000',
  '00000000-0000-0000-0000-000000000000', '-infinity', '-infinity');
"""

GUARDS = """
CREATE TRIGGER card_steps BEFORE UPDATE ON card FOR EACH ROW EXECUTE FUNCTION card_steps();
CREATE TRIGGER card_event_grows BEFORE UPDATE OR DELETE ON card_event FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER card_event_kept BEFORE TRUNCATE ON card_event FOR EACH STATEMENT EXECUTE FUNCTION append_only();

GRANT SELECT, INSERT, UPDATE ON card_product TO citycard_app;
GRANT SELECT ON card_range TO citycard_app;
GRANT SELECT, INSERT ON card, card_event, code_used, presented TO citycard_app;
-- Issuer, number, holder and form of a card never change.
GRANT UPDATE (state, lost_at, loss_kind, loss_lapses_at, loss_lapse, frozen_at, locked_at, bad_at, expires_on, masked_name, concession,
  wallet_account_id, bound_by, mirrored_status, mirrored_at, replaced_by, version) ON card TO citycard_app;
GRANT SELECT, INSERT, UPDATE ON pay_handle TO citycard_app;
GRANT USAGE ON SEQUENCE pay_handle_number TO citycard_app;
REVOKE EXECUTE ON FUNCTION open_card_range_v1(text, text, integer, bigint, bigint), sweep_codes_v1() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_card_range_v1(text, text, integer, bigint, bigint), sweep_codes_v1() TO citycard_app;
"""

FUNCTIONS = ("card_refusal_v1", "card_steps_v1", "open_card_range_v1", "present_code_v1", "sweep_codes_v1")


def upgrade() -> None:
    """The tables, then the functions over them, then what each role may do."""
    op.execute(TABLES)
    for name in FUNCTIONS:
        op.execute(sql(name))
    op.execute(GUARDS)


def downgrade() -> None:
    """Back to a city without cards, sequences of the number ranges included."""
    op.execute(
        "DO $$ DECLARE held record; BEGIN FOR held IN SELECT sequence FROM card_range LOOP"
        " EXECUTE format('DROP SEQUENCE %I', held.sequence); END LOOP; END $$"
    )
    op.execute("DROP FUNCTION sweep_codes_v1(), open_card_range_v1(text, text, integer, bigint, bigint), code_lock_v1(bigint, bigint, smallint)")
    op.execute(
        "DROP FUNCTION present_code_v1(uuid, uuid, integer, text, uuid, bigint, integer, bigint, smallint, timestamptz, date, text, text[])"
    )
    op.execute("DROP FUNCTION card_refusal_v1(card, timestamptz, date)")
    op.execute("DROP TABLE presented, code_used, pay_handle")
    op.execute("DROP SEQUENCE pay_handle_number")
    op.execute("ALTER TABLE card DROP CONSTRAINT fk_card_version")
    op.execute("DROP TABLE card_event, card, card_range, card_product")
    op.execute("DROP FUNCTION card_steps()")
