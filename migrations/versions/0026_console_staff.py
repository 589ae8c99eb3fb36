"""Administrators from the machine's console: a city's first two, and one in the place of another who was shut out."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


FROM_CONSOLE = """
ALTER TABLE staff
  ADD COLUMN from_console text,
  DROP CONSTRAINT ck_staff_admitted,
  DROP CONSTRAINT ck_staff_confirmed,
  ADD CONSTRAINT ck_staff_admitted CHECK (enrolled_at IS NOT NULL OR admitted_by IS NOT NULL OR from_console IS NOT NULL),
  ADD CONSTRAINT ck_staff_confirmed
    CHECK ((admitted_by IS NULL AND from_console IS DISTINCT FROM 'replacement') OR confirmed_by IS NOT NULL
      OR (enrolled_at IS NULL AND enrolment_digest IS NULL)),
  ADD CONSTRAINT ck_staff_from_console
    CHECK (from_console IS NULL OR (from_console IN ('first', 'replacement') AND admitted_by IS NULL
      AND (from_console = 'replacement' OR confirmed_by IS NULL) AND roles = ARRAY['administrator']));
"""
FROM_NOWHERE = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM staff WHERE from_console IS NOT NULL AND enrolled_at IS NULL) THEN
    RAISE EXCEPTION 'somebody admitted at the console has not enrolled yet; without this column everybody else was admitted by somebody';
  END IF;
END $$;
ALTER TABLE staff
  DROP CONSTRAINT ck_staff_from_console,
  DROP CONSTRAINT ck_staff_admitted,
  DROP CONSTRAINT ck_staff_confirmed,
  DROP COLUMN from_console,
  ADD CONSTRAINT ck_staff_admitted CHECK (enrolled_at IS NOT NULL OR admitted_by IS NOT NULL),
  ADD CONSTRAINT ck_staff_confirmed
    CHECK (admitted_by IS NULL OR confirmed_by IS NOT NULL OR (enrolled_at IS NULL AND enrolment_digest IS NULL));
"""


def upgrade() -> None:
    """Nobody of before came from the console."""
    op.execute(FROM_CONSOLE)


def downgrade() -> None:
    """Refused while somebody from the console has not enrolled."""
    op.execute(FROM_NOWHERE)
