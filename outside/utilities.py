"""The played utility companies: the program's own back office, served over signed HTTP with a database and keys of its own."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, jsonify

from outside import faults
from outside.played import UTILITIES
from outside.reading import Refusal, members, text, whole
from outside.signed import agency, unsigned
from outside.world import world
from services.offices.utilities import Office, OfficeRefused

NUMBER, ACCOUNT = r"[A-Za-z0-9_-]{1,64}", r"[0-9]{10}"
LARGEST_FEN = 10_000_000


def door(name: str) -> Blueprint:
    """The door of the water, power or gas companies; which one of them stands in the path."""
    made = agency(name)
    made.register_error_handler(OfficeRefused, lambda refusal: (jsonify(code=refusal.code), refusal.status))

    @made.post("/<company>/owner-checks")
    def check_owner(company: str) -> Response:
        """Whether a name owns an account, and then what may be told of it."""
        body = members({"account", "name"})
        return jsonify(office().check_owner(company, text(body, "account", pattern=ACCOUNT), text(body, "name", most=50)))

    @made.get("/<company>/accounts/<account>/bills")
    def bills(company: str, account: str) -> Response:
        """The bills of a year."""
        return jsonify(office().bills(company, account))

    @made.post("/<company>/payments")
    def pay(company: str) -> Response | tuple[Response, int]:
        """Take a payment under the city's number; the answer to one that was taken may be lost, a refusal is not."""
        body = members({"number", "account", "bill", "amount_fen", "day"})
        order = {
            "number": text(body, "number", pattern=NUMBER),
            "account": text(body, "account", pattern=ACCOUNT),
            "bill": text(body, "bill", pattern=NUMBER),
            "amount_fen": whole(body, "amount_fen", least=1, most=LARGEST_FEN),
            "day": day_of(text(body, "day")),
        }
        taken = office().pay(company, order)
        if faults.strikes(name, "payment_answer_lost") is not None:
            return unsigned(504)
        return jsonify(taken), 201

    @made.get("/<company>/payments/<number>")
    def payment(company: str, number: str) -> Response:
        """What became of a payment."""
        return jsonify(office().payment(company, number))

    @made.post("/<company>/payments/<number>/withdrawal")
    def withdraw(company: str, number: str) -> Response:
        """Never accept this number from now on."""
        return jsonify(office().withdraw(company, number))

    @made.get("/<company>/day-files/<day>")
    def day_file(company: str, day: str) -> Response:
        """The list of a business day."""
        return Response(office().day_file(company, day_of(day)), content_type="text/plain; charset=utf-8")

    return made


def office() -> Office:
    """The office behind all these doors."""
    return Office(world().pool, world().companies, lambda: world().now())


def day_of(said: str) -> dt.date:
    """A day as it comes over the wire."""
    try:
        return dt.date.fromisoformat(said)
    except ValueError as fault:
        raise Refusal("day_wrong") from fault


DOORS = tuple(door(name) for name in UTILITIES)
