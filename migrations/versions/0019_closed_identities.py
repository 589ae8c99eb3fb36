"""A citizen number belongs to one living account of a city; a closed one keeps what it held and no longer stands in the way."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The same name of an index, now of the living accounts alone."""
    op.execute(
        """
        ALTER TABLE resident DROP CONSTRAINT uq_resident_citizen_number;
        CREATE UNIQUE INDEX uq_resident_citizen_number ON resident (city_id, citizen_number_blind) WHERE state = 'active';
        """
    )


def downgrade() -> None:
    """Refused while a closed account and a living one hold the same number: one of them would have to lose it."""
    op.execute(
        """
        DO $$ BEGIN
          IF EXISTS (SELECT FROM resident WHERE citizen_number_blind IS NOT NULL GROUP BY city_id, citizen_number_blind HAVING count(*) > 1) THEN
            RAISE EXCEPTION 'closed accounts hold numbers of living ones; they cannot be unique together';
          END IF;
        END $$;
        DROP INDEX uq_resident_citizen_number;
        ALTER TABLE resident ADD CONSTRAINT uq_resident_citizen_number UNIQUE (city_id, citizen_number_blind);
        """
    )
