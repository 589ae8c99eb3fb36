"""Refunds of top-ups: reserved out of the wallet, and posted or voided by what the provider says became of them."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.execute(
        """
        CREATE TABLE top_up_refund (
          id uuid NOT NULL CONSTRAINT pk_top_up_refund PRIMARY KEY,
          city_id integer NOT NULL,
          resident_id uuid NOT NULL,
          top_up_id uuid NOT NULL CONSTRAINT fk_top_up_refund_top_up_id REFERENCES top_up (id),
          amount_fen bigint NOT NULL,
          provider text NOT NULL,
          refund_number text NOT NULL,
          state text NOT NULL,
          reason text DEFAULT '' NOT NULL,
          reserve_id uuid NOT NULL CONSTRAINT uq_top_up_refund_reserve_id UNIQUE,
          transfer_id uuid,
          receipt_number text CONSTRAINT uq_top_up_refund_receipt_number UNIQUE,
          reserved_at timestamptz NOT NULL,
          decided_at timestamptz,
          ask_at timestamptz,
          asked integer DEFAULT 0 NOT NULL,
          CONSTRAINT uq_top_up_refund_provider_refund_number UNIQUE (provider, refund_number),
          CONSTRAINT ck_top_up_refund_amount CHECK (amount_fen > 0),
          CONSTRAINT ck_top_up_refund_state CHECK (state IN ('reserved', 'posted', 'voided')),
          CONSTRAINT ck_top_up_refund_decided CHECK ((state = 'reserved') = (decided_at IS NULL)),
          CONSTRAINT ck_top_up_refund_transfer CHECK ((state = 'reserved') = (transfer_id IS NULL)),
          CONSTRAINT ck_top_up_refund_receipt CHECK ((state = 'posted') = (receipt_number IS NOT NULL))
        );
        CREATE INDEX ix_top_up_refund_top_up_id ON top_up_refund (top_up_id);
        CREATE INDEX ix_top_up_refund_resident_id ON top_up_refund (resident_id, id);
        CREATE INDEX ix_top_up_refund_ask_at ON top_up_refund (ask_at) WHERE ask_at IS NOT NULL;
        GRANT SELECT, INSERT, UPDATE (state, reason, transfer_id, receipt_number, decided_at, ask_at, asked)
          ON top_up_refund TO citycard_app;
        """
    )


def downgrade() -> None:
    """Refused while money is on its way: without its line nobody would know whose it is."""
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM top_up_refund WHERE state = 'reserved') THEN
            RAISE EXCEPTION 'refunds of top-ups are on their way; wait until their providers have answered';
          END IF;
        END $$;
        DROP TABLE top_up_refund;
        """
    )
