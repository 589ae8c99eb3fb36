"""A staff member at a desk: password and one-time code, then requests with the token."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from typing import Any

from command.story import proving
from command.story.wire import Answer, Unexpected, Wire

STEP_SECONDS = 30


class Desk:
    """One staff member, by what `citycard people` tells of them."""

    def __init__(self, wire: Wire, member: dict[str, Any], *, city: int) -> None:
        self.wire, self.member, self.city, self.token = wire, member, city, ""

    def sign_in(self) -> None:
        """Come in with password and the code of this half minute, by the platform's clock; one that was used, with the next one."""
        there = self._time()
        answer = self._enter(there)
        if answer.status == 401:
            time.sleep(STEP_SECONDS - there % STEP_SECONDS)
            answer = self._enter(self._time())
        if answer.status >= 400:
            raise Unexpected("POST", "/api/staff-sessions", answer)
        self.token = str(answer.body["access_token"])

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """A request that must succeed."""
        answer = self._ask(method, path, body)
        if answer.status >= 400:
            raise Unexpected(method, path, answer)
        return answer.body

    def _time(self) -> float:
        return dt.datetime.fromisoformat(self.wire.send("GET", "/healthz/ready").body["time"]).timestamp()

    def _enter(self, now: float) -> Answer:
        code = proving.one_time_code(self.member["totp_secret"], now=now)
        return self._ask(
            "POST",
            "/api/staff-sessions",
            {"login": self.member["login"], "password": self.member["password"], "code": code, "city": self.city},
        )

    def _ask(self, method: str, path: str, body: Any) -> Answer:
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(16)}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return self.wire.send(method, path, body=b"" if body is None else json.dumps(body).encode(), headers=headers)
