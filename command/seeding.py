"""A city's data and, in a demo, its invented people, brought into the database; the same data again change nothing."""

from __future__ import annotations

import psycopg

from config.cities import City, load
from config.settings import Settings

DATA, PEOPLE, PARTNERS = "data", "people", "partners"


def seed(settings: Settings) -> None:
    """Apply every city that the settings name; who lives there is invented, so production gets the data alone."""
    cities = [load(slug) for slug in settings.cities]
    known = _known(settings.database_url)
    if all(_stands(city, known, settings) for city in cities):
        return
    # After the check: a second start need not even load the program.
    from command.applying import apply_data, let_partners_in, let_people_move_in
    from command.program import program

    with program(settings):
        for city in cities:
            if known.get((city.id, DATA)) != city.fingerprint:
                apply_data(city, DATA)
            if not settings.production and (city.id, PEOPLE) not in known:
                let_people_move_in(city, settings.root_key, PEOPLE)
            if not settings.production and known.get((city.id, PARTNERS)) != city.fingerprint:
                let_partners_in(city, settings.root_key, PARTNERS)


def renew(settings: Settings) -> list[str]:
    """Apply the data of the cities that are in the database already and differ from this version's; nobody moves in. Tells which."""
    known = _known(settings.database_url)
    stale = [city for city in map(load, settings.cities) if known.get((city.id, DATA), city.fingerprint) != city.fingerprint]
    if stale:
        from command.applying import apply_data
        from command.program import program

        with program(settings):
            for city in stale:
                apply_data(city, DATA)
    return [city.facts.slug for city in stale]


def _stands(city: City, known: dict[tuple[int, str], str], settings: Settings) -> bool:
    if known.get((city.id, DATA)) != city.fingerprint:
        return False
    return settings.production or ((city.id, PEOPLE) in known and known.get((city.id, PARTNERS)) == city.fingerprint)


def _known(database_url: str) -> dict[tuple[int, str], str]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT city_id, part, fingerprint FROM city_data").fetchall()
    return {(city_id, part): fingerprint for city_id, part, fingerprint in rows}
