"""The fault switch: which failures the outside world plays, where, how often and how many times."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from outside.database import Row
from outside.played import UTILITIES
from outside.reading import Refusal, answer_refusal, members, text, whole
from outside.world import world

DOOR = {
    "down": "503 before any work",
    "slow": "waits `value` milliseconds before the work",
    "errors": "500 before any work",
    "answer_lost": "does the work, then answers 504",
    "bad_signature": "answers with a wrong signature",
}
UTILITY = {**DOOR, "payment_answer_lost": "takes the payment, then answers 504"}
CALLBACKS = {
    "duplicate": "sends each notice `value` times (2 if none is given)",
    "late": "sends each notice `value` milliseconds late",
    "lost": "never sends the notice",
    "wrong_amount": "notices one fen more than was paid",
    "bad_signature": "signs notices with a key that is not YunPay's",
    "out_of_order": "follows each notice with an older one that says `waiting`",
}
LINE = {
    "unreachable": "the platform's own side finds no connection",
    "slow": "the platform's own side waits `value` milliseconds",
    "answer_cut": "the work is done, the answer is cut off on the platform's side",
}
PLACES = {
    "sms": DOOR,
    "police": DOOR,
    "yunpay": {
        **DOOR,
        "wrong_amount": "answers rightly signed with one fen more",
        "slow_refund": "refunds stay pending for `value` milliseconds",
    },
    "yunpay-callbacks": CALLBACKS,
    **dict.fromkeys(UTILITIES, UTILITY),
    "line:sms": LINE,
    "line:police": LINE,
    "line:yunpay": LINE,
    **{f"line:{door}": LINE for door in UTILITIES},
}

routes = Blueprint("faults", __name__)
routes.register_error_handler(Refusal, answer_refusal)


def strikes(place: str, kind: str) -> int | None:
    """Whether the fault strikes now, and its value. A share of 0.25 strikes every fourth time, not by chance."""
    with world().pool.connection() as connection:
        row = connection.execute(
            """UPDATE fault SET calls = calls + 1,
                      hits = hits + (floor((calls + 1) * share) > floor(calls * share))::int
               WHERE place = %s AND kind = %s AND (times IS NULL OR hits < times)
               RETURNING value, floor(calls * share) > floor((calls - 1) * share) AS struck""",
            (place, kind),
        ).fetchone()
    return int(row["value"]) if row is not None and row["struck"] else None


def listed(place: str | None = None) -> list[Row]:
    """The faults that are switched on, at one place or everywhere."""
    with world().pool.connection() as connection:
        return connection.execute(
            """SELECT place, kind, share::float8 AS share, value, times, calls, hits FROM fault
               WHERE (%(place)s::text IS NULL OR place = %(place)s) AND (times IS NULL OR hits < times)
               ORDER BY place, kind""",
            {"place": place},
        ).fetchall()


def switch_on(place: str, kind: str, *, share: float = 1, value: int = 0, times: int | None = None) -> None:
    """Switch a fault on, or set it anew."""
    if kind not in PLACES.get(place, {}):
        raise Refusal("fault_unknown")
    with world().pool.connection() as connection:
        connection.execute(
            """INSERT INTO fault (place, kind, share, value, times) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (place, kind) DO UPDATE
               SET share = excluded.share, value = excluded.value, times = excluded.times, calls = 0, hits = 0""",
            (place, kind, share, value, times),
        )


def switch_off(place: str | None = None, kind: str | None = None) -> None:
    """Switch off one fault, a place's faults, or all."""
    with world().pool.connection() as connection:
        connection.execute(
            """DELETE FROM fault WHERE (%(place)s::text IS NULL OR place = %(place)s)
               AND (%(kind)s::text IS NULL OR kind = %(kind)s)""",
            {"place": place, "kind": kind},
        )


@routes.get("/faults.json")
def show() -> Response:
    """The faults that are on; the platform's fault-injecting transport asks for those of its own line."""
    return jsonify(faults=listed(request.args.get("place")))


@routes.get("/faults")
def page() -> str:
    """The switchboard."""
    return render_template("faults.html", places=PLACES, on=listed())


@routes.post("/faults")
def change() -> AnyResponse:
    """Switch on, by JSON or by the page's form."""
    if request.is_json:
        body = members({"place", "kind"}, optional={"share", "value", "times"})
        switch_on(text(body, "place"), text(body, "kind"), **_numbers(body))
        return Response(status=204)
    place, _, kind = request.form.get("fault", "").partition(" ")
    value = request.form.get("value", "")
    switch_on(place, kind, value=int(value) if re.fullmatch(r"[0-9]{1,6}", value) else 0)
    return redirect("/faults", 303)


@routes.delete("/faults")
def clear() -> Response:
    """Switch off: `?place=` and `?kind=` narrow it."""
    switch_off(request.args.get("place"), request.args.get("kind"))
    return Response(status=204)


@routes.post("/faults/off")
def clear_by_form() -> AnyResponse:
    """Switch off by the page's form: one fault, or all."""
    place, _, kind = request.form.get("fault", "").partition(" ")
    switch_off(place or None, kind or None)
    return redirect("/faults", 303)


def _numbers(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "share" in body:
        share = body["share"]
        if type(share) not in (int, float) or not 0 < share <= 1:
            raise Refusal("share_wrong")
        found["share"] = share
    if "value" in body:
        found["value"] = whole(body, "value", least=0, most=600_000)
    if "times" in body:
        found["times"] = whole(body, "times", least=1, most=1_000_000)
    return found
