"""Who agreed for a child under fourteen, and by which document the clerk saw that they may."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns; what a child agreed to alone and what a guardian did may stand side by side."""
    op.execute(
        """
        ALTER TABLE agreement_acceptance
          ADD COLUMN guardian_id uuid CONSTRAINT fk_agreement_acceptance_guardian_id REFERENCES resident (id),
          ADD COLUMN guardian_document text,
          ADD CONSTRAINT ck_agreement_acceptance_guardian CHECK ((guardian_id IS NULL) = (guardian_document IS NULL)),
          ADD CONSTRAINT ck_agreement_acceptance_guardian_id CHECK (guardian_id <> resident_id),
          ADD CONSTRAINT ck_agreement_acceptance_guardian_document
            CHECK (guardian_document IN ('household_register', 'birth_certificate', 'guardianship_decision'));
        DROP INDEX uq_agreement_acceptance_live;
        CREATE UNIQUE INDEX uq_agreement_acceptance_live ON agreement_acceptance (resident_id, kind, text_version, (guardian_id IS NULL))
          WHERE withdrawn_at IS NULL;
        """
    )


def downgrade() -> None:
    """Refused while a guardian's acceptance is on record: without these columns it would read as the child's own."""
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM agreement_acceptance WHERE guardian_id IS NOT NULL) THEN
            RAISE EXCEPTION 'acceptances of guardians are on record; they cannot be kept without their columns';
          END IF;
        END $$;
        DROP INDEX uq_agreement_acceptance_live;
        CREATE UNIQUE INDEX uq_agreement_acceptance_live ON agreement_acceptance (resident_id, kind, text_version)
          WHERE withdrawn_at IS NULL;
        ALTER TABLE agreement_acceptance DROP COLUMN guardian_document, DROP COLUMN guardian_id;
        """
    )
