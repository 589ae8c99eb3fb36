"""The signed doors of the played agencies: only the platform enters, and every answer is signed to its request."""

from __future__ import annotations

import base64
import time

from flask import Blueprint, Response, request

from core.http_signatures import Answer, SignatureRefused, from_environ, sign_answer, verify
from outside import faults
from outside.reading import Refusal, answer_refusal
from outside.world import world

_REMEMBER_SECONDS = 300  # longer than the two minutes in which a signature is fresh
_SLOWEST = 30.0


def agency(name: str) -> Blueprint:
    """A blueprint whose routes the platform alone may call, with the faults of `name` before and after the work."""
    door = Blueprint(name, f"outside.{name}", url_prefix=f"/{name}")

    @door.before_request
    def enter() -> Response | None:
        """Play the faults that come before any work, then let in only what the platform signed."""
        if faults.strikes(name, "down") is not None:
            return unsigned(503)
        slow = faults.strikes(name, "slow")
        if slow is not None:
            time.sleep(min(slow / 1000, _SLOWEST))
        if faults.strikes(name, "errors") is not None:
            return unsigned(500)
        try:
            _check()
        except SignatureRefused as refusal:
            raise Refusal(refusal.reason, 401) from refusal
        return None

    @door.after_request
    def leave(response: Response) -> Response:
        """Sign what goes back, or spoil it as the faults say."""
        if response.headers.get("X-Outside-Fault"):
            return response
        if faults.strikes(name, "answer_lost") is not None:
            return unsigned(504)
        body = response.get_data()
        answer = Answer(response.status_code, {}, body, request.headers.get("Signature", ""))
        created = int(world().now().timestamp())
        response.headers.extend(sign_answer(answer, world().keys.signers[name], created=created))
        if faults.strikes(name, "bad_signature") is not None:
            response.headers["Signature"] = f"city=:{base64.b64encode(bytes(64)).decode()}:"
        return response

    door.register_error_handler(Refusal, answer_refusal)
    return door


def _check() -> None:
    """The platform's signature, fresh and never seen before."""
    parts = from_environ(request.environ, request.get_data(), request.headers)
    now = world().now()
    said = verify(parts, world().platform_keys, now=now.timestamp(), need_nonce=True)
    with world().pool.connection() as connection:
        connection.execute("DELETE FROM nonce_seen WHERE seen_at < %s - make_interval(secs => %s)", (now, _REMEMBER_SECONDS))
        added = connection.execute("INSERT INTO nonce_seen (nonce, seen_at) VALUES (%s, %s) ON CONFLICT DO NOTHING", (said.nonce, now))
    if added.rowcount != 1:
        raise SignatureRefused("signature_replayed")


def unsigned(status: int) -> Response:
    """What a proxy in front of a sick system would answer; signed by nobody."""
    return Response("", status, {"X-Outside-Fault": "played"}, content_type="text/plain")
