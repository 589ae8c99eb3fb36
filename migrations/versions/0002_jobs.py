"""The job queue's own tables and functions, as procrastinate 3.10 ships them."""

from __future__ import annotations

import re

from alembic import op

from migrations.tables import sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = "procrastinate_v3_10"


def upgrade() -> None:
    """Install procrastinate's schema and let the application use it."""
    op.get_bind().exec_driver_sql(sql(NAME).replace("%", "%%"))
    for table in made("TABLE"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO citycard_app")
    for sequence in ("procrastinate_jobs_id_seq", "procrastinate_periodic_defers_id_seq", "procrastinate_events_id_seq"):
        op.execute(f"GRANT USAGE, SELECT ON SEQUENCE {sequence} TO citycard_app")


def downgrade() -> None:
    """Take it all away again."""
    for table in reversed(made("TABLE")):
        op.execute(f"DROP TABLE {table} CASCADE")
    for function in made("FUNCTION"):
        op.execute(f"DROP FUNCTION IF EXISTS {function} CASCADE")
    for kind in made("TYPE"):
        op.execute(f"DROP TYPE {kind} CASCADE")


def made(kind: str) -> list[str]:
    """The names of what the schema file makes."""
    return re.findall(rf"^CREATE {kind} (\w+)", sql(NAME), re.MULTILINE)
