"""What a resident made good of offline trades gets a receipt; what was made good before gets one now, of the day on which it was."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table, filled from the trades and their transfers, to which trades then point."""
    op.execute(
        """
        CREATE TABLE offline_repayment (
          id uuid NOT NULL CONSTRAINT pk_offline_repayment PRIMARY KEY,
          city_id integer NOT NULL,
          resident_id uuid NOT NULL,
          amount_fen bigint NOT NULL,
          receipt_number text NOT NULL CONSTRAINT uq_offline_repayment_receipt_number UNIQUE,
          recorded_at timestamptz NOT NULL,
          CONSTRAINT ck_offline_repayment_amount CHECK (amount_fen > 0)
        );
        CREATE INDEX ix_offline_repayment_resident_id ON offline_repayment (resident_id, id);
        INSERT INTO offline_repayment (id, city_id, resident_id, amount_fen, receipt_number, recorded_at)
        SELECT t.id, t.city_id, o.resident_id, t.amount_fen,
               receipt_number(t.city_id, (t.recorded_at AT TIME ZONE 'Asia/Shanghai')::date), t.recorded_at
          FROM (SELECT DISTINCT repaid_by, resident_id FROM offline_trade WHERE repaid_by IS NOT NULL) o
          JOIN transfer t ON t.id = o.repaid_by
         ORDER BY t.id;
        ALTER TABLE offline_trade
          ADD CONSTRAINT fk_offline_trade_repaid_by FOREIGN KEY (repaid_by) REFERENCES offline_repayment (id);
        CREATE INDEX ix_offline_trade_repaid_by ON offline_trade (repaid_by) WHERE repaid_by IS NOT NULL;
        GRANT SELECT, INSERT ON offline_repayment TO citycard_app;
        """
    )


def downgrade() -> None:
    """The trades still name their transfers; numbers that residents hold are gone."""
    op.execute(
        """
        ALTER TABLE offline_trade DROP CONSTRAINT fk_offline_trade_repaid_by;
        DROP INDEX ix_offline_trade_repaid_by;
        DROP TABLE offline_repayment;
        """
    )
