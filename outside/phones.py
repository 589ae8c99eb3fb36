"""Phones that receive the sandbox's short messages: the provider's door for the platform, and pages for people."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, jsonify, render_template
from psycopg.types.json import Jsonb

from outside.database import Row
from outside.reading import members, text
from outside.signed import agency
from outside.world import new_number, world

NUMBER = r"1[3-9][0-9]{9}"
SHOWN, LISTED = 50, 200

door = agency("sms")
pages = Blueprint("phones", __name__)


@door.post("/messages")
def receive() -> tuple[Response, int]:
    """Take a message for a phone; the same reference again is the same message."""
    body = members({"number", "text", "template", "values", "reference"})
    row = {
        "id": new_number("sms"),
        "number": text(body, "number", pattern=NUMBER),
        "text": text(body, "text", most=500),
        "template": text(body, "template", pattern=r"[a-z_]{1,40}"),
        "values": Jsonb(body["values"] if isinstance(body["values"], dict) else {}),
        "reference": text(body, "reference", pattern=r"[A-Za-z0-9_-]{1,64}"),
        "at": world().now(),
    }
    with world().pool.connection() as connection:
        kept = connection.execute(
            """INSERT INTO message (id, number, template, text, "values", reference, received_at)
               VALUES (%(id)s, %(number)s, %(template)s, %(text)s, %(values)s, %(reference)s, %(at)s)
               ON CONFLICT (reference) DO UPDATE SET reference = excluded.reference RETURNING id""",
            row,
        ).fetchone()
    return jsonify(message=kept["id"] if kept else row["id"]), 201


def messages_of(number: str) -> list[Row]:
    """The newest messages of a phone, newest first."""
    if not re.fullmatch(NUMBER, number):
        abort(404)
    with world().pool.connection() as connection:
        return connection.execute(
            """SELECT id, template, text, "values", received_at FROM message
               WHERE number = %s ORDER BY received_at DESC, id LIMIT %s""",
            (number, SHOWN),
        ).fetchall()


@pages.get("/phones")
def phones() -> str:
    """All phones that ever received something, the latest first."""
    with world().pool.connection() as connection:
        found = connection.execute(
            """SELECT number, count(*) AS messages, max(received_at) AS latest FROM message
               GROUP BY number ORDER BY latest DESC LIMIT %s""",
            (LISTED,),
        ).fetchall()
    return render_template("phones.html", phones=found)


@pages.get("/phones/<number>")
def phone(number: str) -> str:
    """One phone's screen."""
    return render_template("phone.html", number=number, messages=messages_of(number))


@pages.get("/phones/<number>/messages")
def messages(number: str) -> Response:
    """One phone's messages as JSON; `values` holds the code of a sign-in message."""
    found = [{**row, "received_at": row["received_at"].isoformat()} for row in messages_of(number)]
    return jsonify(messages=found)
