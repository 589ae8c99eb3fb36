"""Places and working days: regions, grid cells, calendars, and which city data were applied."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE region (
  code text NOT NULL CONSTRAINT pk_region PRIMARY KEY,
  city_id integer NOT NULL,
  level text NOT NULL,
  parent text CONSTRAINT fk_region_parent REFERENCES region (code),
  zh text NOT NULL,
  en text NOT NULL,
  CONSTRAINT ck_region_level CHECK (level IN ('city', 'district', 'street', 'community')),
  CONSTRAINT ck_region_code CHECK (code ~ '^[0-9]{6}([0-9]{3}){0,2}$'),
  CONSTRAINT ck_region_top CHECK ((level = 'city') = (parent IS NULL))
);
CREATE INDEX ix_region_city_id ON region (city_id, code);
CREATE INDEX ix_region_parent ON region (parent);

CREATE TABLE grid_cell (
  code text NOT NULL CONSTRAINT pk_grid_cell PRIMARY KEY,
  city_id integer NOT NULL,
  community text NOT NULL CONSTRAINT fk_grid_cell_community REFERENCES region (code),
  ring jsonb NOT NULL,
  west double precision NOT NULL,
  south double precision NOT NULL,
  east double precision NOT NULL,
  north double precision NOT NULL,
  CONSTRAINT ck_grid_cell_code CHECK (code ~ '^[0-9]{15}$' AND left(code, 12) = community),
  CONSTRAINT ck_grid_cell_box CHECK (west <= east AND south <= north)
);
CREATE INDEX ix_grid_cell_community ON grid_cell (community);
CREATE INDEX ix_grid_cell_box ON grid_cell (city_id, west, east, south, north);

CREATE TABLE calendar_day (
  city_id integer NOT NULL,
  day date NOT NULL,
  working boolean NOT NULL,
  note text NOT NULL,
  expected boolean DEFAULT false NOT NULL,
  CONSTRAINT pk_calendar_day PRIMARY KEY (city_id, day)
);

CREATE TABLE working_time (
  city_id integer NOT NULL,
  weekday smallint NOT NULL,
  opens time NOT NULL,
  closes time NOT NULL,
  CONSTRAINT pk_working_time PRIMARY KEY (city_id, weekday, opens),
  CONSTRAINT ck_working_time_weekday CHECK (weekday BETWEEN 0 AND 6),
  CONSTRAINT ck_working_time_forward CHECK (opens < closes)
);

CREATE TABLE city_data (
  city_id integer NOT NULL,
  part text NOT NULL,
  fingerprint text NOT NULL,
  applied_at timestamptz DEFAULT city_now() NOT NULL,
  CONSTRAINT pk_city_data PRIMARY KEY (city_id, part)
);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON region, grid_cell, city_data TO citycard_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_day, working_time TO citycard_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(GRANTS)


def downgrade() -> None:
    op.execute("DROP TABLE city_data, working_time, calendar_day, grid_cell, region")
