"""A small room of the edge's own, so that the edge is tested without any floor above it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import marshmallow as ma
import pytest
from flask import Flask
from flask.testing import FlaskClient

from config.settings import Settings
from core import audit, crypto, db, fields, jobs, pulse, revocation
from core.actors import Actor, ActorKind
from core.errors import Conflict, NotFound, Unauthenticated
from core.limits import Quotas
from core.ports import Call
from core.vocabulary import AuditEvent
from core.web import Answer, Edge, PageQuery, Routes, anyone, either, page_of, resident, staff, terminal

CITY = 990100
WANG = Actor(kind=ActorKind.RESIDENT, id=UUID(int=1), city_id=CITY, identity_level=2, strength=2)
LI = Actor(kind=ActorKind.RESIDENT, id=UUID(int=2), city_id=CITY, identity_level=1, strength=1)
CLERK = Actor(kind=ActorKind.STAFF, id=UUID(int=3), city_id=CITY, scopes=frozenset({"notes:note:read"}))
GATE = Actor(kind=ActorKind.TERMINAL, id=UUID(int=4), city_id=CITY, scopes=frozenset({"note:post"}))
CAST = {"wang": WANG, "li": LI, "clerk": CLERK, "gate": GATE}


class Names:
    """Knows the cast by name: the edge asks it as it asks the real authenticator."""

    def authenticate(self, call: Call) -> Actor:
        actor = CAST.get(call.headers["Authorization"].removeprefix("Bearer "))
        if actor is None:
            raise Unauthenticated()
        return actor


class NoteIn(fields.Schema):
    text = fields.Text(most=20, required=True)
    amount_fen = fields.Fen(load_default=1)
    to = fields.Id("res", load_default=None)


class NoteOut(fields.Schema):
    id = fields.Id("note")
    text = ma.fields.String()


class NoteTaken(Conflict):
    code = "note_taken"
    zh, en = "已有同样的记录", "There is such a note already"


class Crowded(Conflict):
    code = "crowded"
    zh, en = "人太多", "Too many people"


routes = Routes("notes")
kept: dict[UUID, dict[str, Any]] = {}
called: list[str] = []


@routes.post(
    "/api/notes",
    operation="writeNote",
    access=resident(level=1),
    takes=NoteIn,
    gives=NoteOut,
    idempotent=True,
    status=201,
    errors=(NoteTaken,),
)
def write_note(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Write a note."""
    called.append("write")
    if body["text"] == "taken":
        raise NoteTaken()
    if body["text"] == "bug":
        raise ZeroDivisionError(body["text"])
    audit.record(actor, AuditEvent.CARD_ISSUED, city_id=actor.city_id, subject="note", resident_id=actor.id)
    note = {"id": UUID(int=len(kept) + 10), "text": body["text"]}
    kept[note["id"]] = note
    return note


@routes.get("/api/notes/<id:note>", operation="readNote", access=either(resident(), staff("notes:note:read")), gives=NoteOut, etag=True)
def read_note(actor: Actor, note: UUID) -> dict[str, Any]:
    """Read a note."""
    if note not in kept:
        raise NotFound()
    return kept[note]


@routes.patch("/api/notes/<id:note>", operation="changeNote", access=resident(), takes=NoteIn, gives=NoteOut, if_match=True)
def change_note(actor: Actor, note: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Change a note."""
    kept[note] = {**kept[note], "text": body["text"]}
    return kept[note]


@routes.get("/api/notes", operation="listNotes", access=anyone(reason="a test"), query=PageQuery, gives=page_of(NoteOut))
def list_notes(actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    """List notes."""
    return {"items": list(kept.values())[: query["limit"]], "next_cursor": "more"}


@routes.post("/api/stamps", operation="stamp", access=terminal("note:post"), takes=NoteIn, gives=NoteOut, mode="posts")
def stamp(actor: Actor, body: dict[str, Any]) -> Answer:
    """Stamp."""
    return Answer({"id": UUID(int=9), "text": body["text"]}, replayed=body["amount_fen"] == 7)


@routes.post("/api/calls", operation="callOut", access=resident(), takes=NoteIn, gives=NoteOut, mode="calls", idempotent=True, status=202)
def call_out(actor: Actor, body: dict[str, Any], work_id: UUID) -> dict[str, Any]:
    """Call outside."""
    assert not db.in_transaction()
    called.append(str(work_id))
    if body["text"] == "crowded":
        raise Crowded()
    return {"id": work_id, "text": body["text"]}


@routes.delete("/api/notes/<id:note>", operation="endNote", access=resident(fresh=dt.timedelta(minutes=5)))
def end_note(actor: Actor, note: UUID) -> None:
    """End a note."""
    kept.pop(note, None)


@pytest.fixture
def small(settings: Settings) -> Iterator[Flask]:
    """A program of the ground floor alone."""
    app = Flask("small")
    pulse.forget()
    revocation.forget()
    crypto.install(settings.root_key)
    db.init(app, settings.database_url)
    jobs.init(app, settings.database_url)
    edge = Edge(app, authenticator=Names(), quotas=Quotas(settings.redis_url))
    edge.serve([routes])
    app.extensions["edge"] = edge
    kept.clear()
    called.clear()
    with app.app_context():
        yield app
        db.db.engine.dispose()
    db.drop_connection()


@pytest.fixture
def client(small: Flask) -> FlaskClient:
    return small.test_client()


def by(name: str, key: str | None = None, **more: str) -> dict[str, str]:
    """The headers of one of the cast."""
    headers = {"Authorization": f"Bearer {name}", **more}
    return headers if key is None else {**headers, "Idempotency-Key": key}


def undone(write: Callable[[], object]) -> None:
    """Write in a transaction that does not come to its end."""

    def fail() -> None:
        with db.transaction():
            write()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
