"""A protecting limit of before keeps what it counted in its present window when the program is brought up to date."""

from __future__ import annotations

import psycopg

import migrations
from config.settings import Settings

# Windows of before began at the turn of their span and were kept for a span more.
_PUT = """
INSERT INTO limit_counter (name, key, window_start, used, expires_at)
SELECT 'tries', 'x', turn - ago * hour, used, turn - ago * hour + 2 * hour
  FROM (VALUES (1, 7), (0, 3)) AS counted(ago, used), date_trunc('hour', now()) AS turn, CAST('1 hour' AS interval) AS hour
"""


def test_the_present_window_keeps_its_count_and_the_one_before_goes(settings: Settings) -> None:
    url = settings.owner_database_url
    assert url is not None
    with psycopg.connect(url, autocommit=True) as connection:
        migrations.downgrade(url, "0026")
        connection.execute(_PUT)
        migrations.upgrade(url)
        kept = connection.execute("SELECT used, expires_at - window_start = interval '1 hour' FROM limit_counter").fetchall()
        assert kept == [(3, True)]
        migrations.downgrade(url, "0026")
        assert connection.execute("SELECT used, expires_at - window_start = interval '2 hours' FROM limit_counter").fetchall() == kept
