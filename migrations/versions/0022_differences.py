"""Differences that the newest reading of a day no longer shows, and what a reading may bring up to date; bills by their number."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A state without a proposal, two remedies, the agency's own number; an index for the moment at which a bill is paid."""
    op.execute(
        """
        ALTER TABLE difference
          ADD COLUMN company_number text,
          DROP CONSTRAINT ck_difference_remedy,
          ADD CONSTRAINT ck_difference_remedy CHECK (remedy IN ('give_back', 'adjust', 'accept', 'void', 'note')),
          DROP CONSTRAINT ck_difference_state,
          DROP CONSTRAINT ck_difference_proposed,
          ADD CONSTRAINT ck_difference_state CHECK (state IN ('open', 'proposed', 'repaired', 'gone')),
          ADD CONSTRAINT ck_difference_proposed CHECK ((state IN ('open', 'gone')) = (proposed_by IS NULL));
        GRANT UPDATE (reconciliation_id, ours_fen, theirs_fen, company_number, note) ON difference TO citycard_app;

        CREATE INDEX ix_bill_city_id_number ON bill (city_id, number);
        """
    )


def downgrade() -> None:
    """What is gone reads as open again, as it did before; refused while a repair by one of the two remedies is on record."""
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM difference WHERE remedy IN ('accept', 'void')) THEN
            RAISE EXCEPTION 'payments were accepted or voided by people; how that came cannot be kept without its remedies';
          END IF;
        END $$;
        DROP INDEX ix_bill_city_id_number;
        REVOKE UPDATE (reconciliation_id, ours_fen, theirs_fen, note) ON difference FROM citycard_app;
        ALTER TABLE difference
          DROP CONSTRAINT ck_difference_state, DROP CONSTRAINT ck_difference_proposed, DROP CONSTRAINT ck_difference_remedy,
          DROP COLUMN company_number;
        UPDATE difference SET state = 'open' WHERE state = 'gone';
        ALTER TABLE difference
          ADD CONSTRAINT ck_difference_remedy CHECK (remedy IN ('give_back', 'adjust', 'note')),
          ADD CONSTRAINT ck_difference_state CHECK (state IN ('open', 'proposed', 'repaired')),
          ADD CONSTRAINT ck_difference_proposed CHECK ((state = 'open') = (proposed_by IS NULL));
        """
    )
