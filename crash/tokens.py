"""Admits residents, once, and prints access tokens for them: `python -m crash.tokens` reads their ids as JSON from its input."""

import json
import sys
from uuid import UUID

from sqlalchemy import text

import auth
from bench.settings import CITY
from command.web import application
from config import cities
from core import db
from core.actors import Actor, ActorKind


def main() -> None:
    """Reads, admits, prints."""
    residents = [UUID(shown) for shown in json.load(sys.stdin)]
    city_id = cities.load(CITY).facts.id
    app = application()
    with app.app_context():
        with db.transaction() as session:
            if not session.scalar(text("SELECT count(*) FROM resident WHERE id = :first"), {"first": residents[0]}):
                newcomers = [auth.Newcomer(id=resident, phone=f"1990{number:07d}") for number, resident in enumerate(residents)]
                auth.admit_many(city_id, newcomers)
        made = auth.parts().tokens
        actors = [Actor(kind=ActorKind.RESIDENT, id=resident, city_id=city_id, identity_level=4, strength=3) for resident in residents]
        print(json.dumps([made.issue(actor).access_token for actor in actors]))


if __name__ == "__main__":
    main()
