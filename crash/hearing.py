"""What the partner's endpoint took, beside the books: nothing before its commit, nothing lost, nothing under two ids."""

import json
from collections.abc import Iterable
from typing import Any

import psycopg

from core import ids
from crash.record import Record


def differences(url: str, record: Record) -> list[str]:
    """What was taken and is not in the books; what the books call delivered and was not taken; what was told under two ids."""
    before = record.snapshot().heard
    with psycopg.connect(url, autocommit=True) as books:
        states = {ids.show("delivery", row[0]): row[1] for row in books.execute("SELECT id, state FROM webhook_delivery").fetchall()}
    after = record.snapshot().heard
    found = [f"broken: an event that was told is in the books ({each} is not)" for each in before.keys() - states.keys()]
    marked = {each for each, state in states.items() if state == "delivered"}
    found += [f"broken: what is marked as delivered was taken by its receiver ({each} was not)" for each in marked - after.keys()]
    said: dict[tuple[str, str], str] = {}
    for identity, body in after.items():
        if said.setdefault(_fact(body), identity) != identity:
            found.append(f"broken: a fact is told under one id ({identity} and {said[_fact(body)]} are the same)")
    return found


def unheard(record: Record) -> set[tuple[str, str]]:
    """What a resident was told is done, and the partner has not heard of."""
    told = record.snapshot()
    return told.facts - {_fact(body) for body in told.heard.values()}


def lost(facts: Iterable[tuple[str, str]]) -> list[str]:
    """What nobody heard of, as sentences."""
    return [f"lost: the partner never heard that {event} of {consent}" for consent, event in sorted(facts)]


def state_of_things(connection: psycopg.Connection[Any]) -> str:
    """Where facts, deliveries and jobs stand, for whoever must find out why something was not heard."""
    asked = {
        "deliveries": "SELECT state, count(*), min(next_at) - city_now() FROM webhook_delivery GROUP BY 1",
        "jobs": "SELECT task_name, status::text, count(*), min(scheduled_at) - now() FROM procrastinate_jobs GROUP BY 1, 2",
        "parked": "SELECT listener, why, count(*) FROM outbox_parked GROUP BY 1, 2",
        "behind": "SELECT c.listener, count(*) FROM outbox o JOIN outbox_cursor c ON (o.txid, o.seq) > (c.txid, c.seq) GROUP BY 1",
    }
    return "; ".join(f"{name} {[tuple(map(str, row)) for row in connection.execute(query).fetchall()]}" for name, query in asked.items())


def waiting(connection: psycopg.Connection[Any]) -> int:
    """How many deliveries wait for their time."""
    row = connection.execute("SELECT count(*) FROM webhook_delivery WHERE state = 'waiting'").fetchone()
    assert row is not None
    return int(row[0])


def _fact(body: bytes) -> tuple[str, str]:
    event = json.loads(body)
    return str(event["data"].get("consent")), str(event["type"])
