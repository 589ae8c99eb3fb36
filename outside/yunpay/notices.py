"""Notices to the merchant: signed, sent until one is taken, and played wrong as the fault switch says."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from typing import Any
from urllib.parse import urlsplit

import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from psycopg import Connection, OperationalError
from psycopg_pool import PoolTimeout

from core.http_signatures import EcdsaSigner, Request, sign
from outside import faults
from outside.database import Row
from outside.world import new_number, world

SCHEDULE = (2, 5, 15, 60, 300, 900, 3600, 7200, 14400, 28800)
"""Seconds until each repetition; after the last one the notice is given up, and the merchant has to ask."""

_CALLBACK = re.compile(r"/api/callbacks/[a-z0-9_/-]{1,80}")
_PLACE = "yunpay-callbacks"
_PATIENCE = urllib3.Timeout(connect=2, read=5)
_IDLE_SECONDS = 0.5


def write(connection: Connection[Row], kind: str, row: Row, state: str, *, after: dt.timedelta = dt.timedelta()) -> None:
    """Note, in the transaction that changes the order or refund, that the merchant must hear of it."""
    late = faults.strikes(_PLACE, "late") or 0
    lost = faults.strikes(_PLACE, "lost") is not None
    due = None if lost else world().now() + after + dt.timedelta(milliseconds=late)
    connection.execute(
        """INSERT INTO notice (id, merchant, kind, number, provider_number, amount_fen, state, url, due_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            new_number("yn"),
            row["merchant"],
            kind,
            row[f"merchant_{kind}"],
            row[f"provider_{kind}"],
            row["amount_fen"],
            state,
            row["notify_url"],
            due,
        ),
    )


def allowed(url: str) -> bool:
    """Whether a notice may be sent there: the platform this process was started for, and nowhere else."""
    home = world().settings.platform_url
    return url.startswith(home) and _CALLBACK.fullmatch(url.removeprefix(home)) is not None


class Messenger:
    """The thread that sends what is due."""

    def __init__(self, app: Flask) -> None:
        self._app, self._bell, self._over = app, threading.Event(), threading.Event()
        self._pool = urllib3.PoolManager(retries=False, timeout=_PATIENCE)
        self._thread = threading.Thread(target=self._run, name="yunpay-notices", daemon=True)

    def start(self) -> None:
        """Begin sending."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more; waits for the notice that is on its way."""
        self._over.set()
        self._bell.set()
        self._thread.join(10)

    def ring(self) -> None:
        """Something may be due now."""
        self._bell.set()

    def _run(self) -> None:
        while not self._over.is_set():
            self._bell.wait(_IDLE_SECONDS)
            self._bell.clear()
            try:
                with self._app.app_context():
                    while not self._over.is_set() and self.send_one():
                        pass
            except (OperationalError, PoolTimeout):
                self._over.wait(1.0)  # the database is away; what is due stays due

    def send_one(self) -> bool:
        """Send the notice that is due longest, with its faults; False when nothing is due."""
        now = world().now()
        with world().pool.connection() as connection:
            # Put back before it is sent: a process that dies on the way sends it again rather than never.
            row = connection.execute(
                """UPDATE notice SET tries = tries + 1, due_at = %(later)s
                   WHERE id = (SELECT id FROM notice WHERE due_at <= %(now)s ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                   RETURNING *""",
                {"now": now, "later": now + dt.timedelta(seconds=60)},
            ).fetchone()
        if row is None:
            return False
        answer = self._deliver(row)
        self._note(row, answer)
        return True

    def _deliver(self, row: Row) -> str:
        said = _said(row)
        if faults.strikes(_PLACE, "wrong_amount") is not None:
            said["amount_fen"] += 1
        forged = faults.strikes(_PLACE, "bad_signature") is not None
        copies = faults.strikes(_PLACE, "duplicate")
        answer = ""
        for _ in range(1 if copies is None else min(max(copies, 2), 20)):
            answer = self._post(row["url"], said, forged=forged)
        if faults.strikes(_PLACE, "out_of_order") is not None:
            old = "waiting" if row["kind"] == "order" else "pending"
            self._post(row["url"], {**said, "notice": new_number("yn"), "state": old}, forged=forged)
        return answer

    def _post(self, url: str, said: dict[str, Any], *, forged: bool) -> str:
        body = json.dumps(said, separators=(",", ":")).encode()
        signer = world().keys.signers["yunpay"]
        if forged:
            signer = EcdsaSigner(signer.keyid, ec.generate_private_key(ec.SECP256R1()))
        headers = {"content-type": "application/json"}
        request = Request("POST", urlsplit(url).path, "", headers, body)
        signed = {**headers, **sign(request, signer, created=int(world().now().timestamp()), nonce=True)}
        try:
            answer = self._pool.request("POST", url, body=body, headers=signed, redirect=False, preload_content=False)
            answer.drain_conn()
        except urllib3.exceptions.HTTPError as fault:
            return type(fault).__name__
        return str(answer.status)

    def _note(self, row: Row, answer: str) -> None:
        now, tries = world().now(), row["tries"]
        taken = answer in ("200", "202", "204")
        again = None if taken or tries > len(SCHEDULE) else now + dt.timedelta(seconds=SCHEDULE[tries - 1])
        with world().pool.connection() as connection:
            connection.execute(
                "UPDATE notice SET due_at = %s, delivered_at = %s, last_answer = %s WHERE id = %s",
                (again, now if taken else None, answer, row["id"]),
            )


def _said(row: Row) -> dict[str, Any]:
    return {
        "notice": row["id"],
        "kind": row["kind"],
        "merchant": row["merchant"],
        "number": row["number"],
        "provider_number": row["provider_number"],
        "amount_fen": row["amount_fen"],
        "state": row["state"],
        "sent_at": world().now().isoformat(),
    }
