"""The played police register: it says whether name and number belong together, and whose live face it saw."""

from __future__ import annotations

import datetime as dt
import hmac

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from outside.database import Row
from outside.reading import Refusal, answer_refusal, members, text
from outside.returning import way_back, with_way_back
from outside.signed import agency
from outside.world import world

CITIZEN, NONCE = r"[1-9][0-9]{16}[0-9X]", r"[A-Za-z0-9_-]{16,64}"
CAPTURE_LASTS = dt.timedelta(minutes=5)
CHOICES = {"approve": "same_person", "another": "another_person", "not_live": "not_live"}

door = agency("police")
pages = Blueprint("faces", __name__)
pages.register_error_handler(Refusal, answer_refusal)


@door.post("/identity-checks")
def check_identity() -> Response:
    """match, mismatch or no_record: never the right name, never anything else."""
    body = members({"name", "citizen_number"})
    return jsonify(result=_compare(text(body, "name"), text(body, "citizen_number", pattern=CITIZEN)))


def _compare(name: str, number: str) -> str:
    known = world().people.get(number)
    if known is None:
        return "no_record"
    return "match" if hmac.compare_digest(known.encode(), name.encode()) else "mismatch"


@door.post("/face-checks")
def open_face_check() -> tuple[Response, int]:
    """Wait for a live face under the platform's nonce; the same nonce again is the same check."""
    body = members({"nonce", "name", "citizen_number"})
    nonce, number = text(body, "nonce", pattern=NONCE), text(body, "citizen_number", pattern=CITIZEN)
    if _compare(text(body, "name"), number) != "match":
        raise Refusal("identity_not_matched", 409)
    person, now = world().keys.hide("person", number), world().now()
    with world().pool.connection() as connection:
        row = connection.execute(
            """INSERT INTO face_check (nonce, person, opened_at, expires_at) VALUES (%s, %s, %s, %s)
               ON CONFLICT (nonce) DO UPDATE SET nonce = excluded.nonce RETURNING person, expires_at""",
            (nonce, person, now, now + CAPTURE_LASTS),
        ).fetchone()
    if row is None or row["person"] != person:
        raise Refusal("nonce_of_another_check", 409)
    answer = {"nonce": nonce, "capture_url": f"{world().settings.url}/faces/{person}", "expires_at": row["expires_at"].isoformat()}
    return jsonify(answer), 201


@door.post("/face-checks/<nonce>/result")
def face_result(nonce: str) -> Response:
    """The verdict on the face whose token this is; without its token a check stays pending until it expires."""
    token = text(members({"face_token"}), "face_token", pattern=r"[A-Za-z0-9_-]{1,64}")
    with world().pool.connection() as connection:
        row = connection.execute("SELECT result, token, expires_at FROM face_check WHERE nonce = %s", (nonce,)).fetchone()
    if row is None:
        raise Refusal("face_check_unknown", 404)
    return jsonify(nonce=nonce, result=_verdict(row, token))


def _verdict(row: Row, token: str) -> str:
    if row["expires_at"] <= world().now():
        return "expired"
    if row["token"] is None or not hmac.compare_digest(row["token"], token):
        return "pending"
    return str(row["result"])


def _open_check(person: str) -> Row | None:
    """The newest check that still waits for this person's face."""
    if person not in world().hidden:
        abort(404)
    with world().pool.connection() as connection:
        return connection.execute(
            """SELECT nonce, expires_at FROM face_check WHERE person = %s AND expires_at > %s AND result IS NULL
               ORDER BY opened_at DESC LIMIT 1""",
            (person, world().now()),
        ).fetchone()


@pages.get("/faces/<person>")
def capture(person: str) -> str:
    """Hold the phone before your face."""
    return render_template("face.html", person=person, check=_open_check(person), choices=CHOICES)


@pages.post("/faces/<person>")
def captured(person: str) -> AnyResponse | str:
    """The camera's double: approve, another face, or not live; gives the face token that the app hands on."""
    result = CHOICES.get(request.form.get("choice", ""))
    if result is None:
        raise Refusal("choice_wrong")
    check = _open_check(person)
    if check is None:
        raise Refusal("no_face_check_waiting", 409)
    # The same face before the same check gives the same token, so that a run can be repeated.
    token = "face_" + world().keys.hide("face", f"{check['nonce']}|{person}|{result}")
    with world().pool.connection() as connection:
        connection.execute(
            "UPDATE face_check SET result = %s, token = %s WHERE nonce = %s AND result IS NULL", (result, token, check["nonce"])
        )
    if request.accept_mimetypes.best == "application/json":
        return jsonify(face_token=token)
    return redirect(with_way_back(f"/faces/{person}/tokens/{token}"), 303)


@pages.get("/faces/<person>/tokens/<token>")
def show_token(person: str, token: str) -> str:
    """The token on the screen, for whoever plays the app by hand."""
    if person not in world().hidden or not token.removeprefix("face_").isalnum():
        abort(404)
    return render_template("face_token.html", token=token, back=way_back(face_token=token))
