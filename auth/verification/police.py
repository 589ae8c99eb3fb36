"""The police register: whether a name and a number belong together, and whether a live face belongs to them.

It answers with a verdict and never with more: no photograph, no address, no corrected name.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from marshmallow import Schema, fields, validate

from auth.errors import RegisterUnavailable
from core.gateway import Answered, Call, Gateway, GatewayAnsweredWrong, GatewayUnavailable


class IdentityResult(StrEnum):
    """What the register says of a name and a citizen number."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NO_RECORD = "no_record"


class FaceResult(StrEnum):
    """What the register says of a live face held before it."""

    SAME_PERSON = "same_person"
    ANOTHER_PERSON = "another_person"
    NOT_LIVE = "not_live"
    PENDING = "pending"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class FaceCapture:
    """Where the resident holds the phone before the face, and until when the register waits for it."""

    capture_url: str
    expires_at: dt.datetime


class PoliceRegister(Protocol):
    """The register as the verification needs it; every method may raise RegisterUnavailable (503)."""

    def check_identity(self, *, name: str, citizen_number: str) -> IdentityResult:
        """Compare a name with a citizen number (18 characters, GB 11643)."""

    def start_face_check(self, *, nonce: str, name: str, citizen_number: str) -> FaceCapture | None:
        """Announce a live-face check under our own nonce (16 to 64 of A-Z a-z 0-9 _ -); None when the two do not match."""

    def face_result(self, *, nonce: str, face_token: str) -> FaceResult:
        """The verdict on the face that gave this token during the check of this nonce."""


class _IdentityAnswer(Schema):
    result = fields.Enum(IdentityResult, by_value=True, required=True)


class _CaptureAnswer(Schema):
    nonce = fields.String(required=True)
    capture_url = fields.Url(required=True, schemes={"http", "https"}, require_tld=False, validate=validate.Length(max=500))
    expires_at = fields.AwareDateTime(required=True, format="iso")


class _FaceAnswer(Schema):
    nonce = fields.String(required=True)
    result = fields.Enum(FaceResult, by_value=True, required=True)


@dataclass(frozen=True, slots=True)
class HttpPoliceRegister:
    """The register behind a gateway whose answers are signed and bound to our question."""

    gateway: Gateway

    def check_identity(self, *, name: str, citizen_number: str) -> IdentityResult:
        body = {"name": name, "citizen_number": citizen_number}
        said = self._ask("identity_check", "/police/identity-checks", _IdentityAnswer, body)
        if said is None:
            raise RegisterUnavailable
        return IdentityResult(said["result"])

    def start_face_check(self, *, nonce: str, name: str, citizen_number: str) -> FaceCapture | None:
        body = {"nonce": nonce, "name": name, "citizen_number": citizen_number}
        said = self._ask("face_check", "/police/face-checks", _CaptureAnswer, body)
        if said is None:
            return None
        _same_nonce(said, nonce)
        return FaceCapture(said["capture_url"], said["expires_at"])

    def face_result(self, *, nonce: str, face_token: str) -> FaceResult:
        path = f"/police/face-checks/{nonce}/result"
        said = self._ask("face_result", path, _FaceAnswer, {"face_token": face_token})
        if said is None:
            return FaceResult.EXPIRED
        _same_nonce(said, nonce)
        return FaceResult(said["result"])

    def _ask(self, operation: str, path: str, gives: type[Schema], body: dict[str, str]) -> dict[str, Any] | None:
        """A question to the register; None when it refuses it (404 or 409: no such person, no such check)."""
        call = Call(operation=operation, method="POST", path=path, gives=gives, body=body, question=True)
        try:
            outcome = self.gateway.ask(call)
        except (GatewayUnavailable, GatewayAnsweredWrong) as fault:
            raise RegisterUnavailable from fault
        if isinstance(outcome, Answered):
            return outcome.body
        if outcome.status in (404, 409, 422):
            return None
        raise RegisterUnavailable


def _same_nonce(said: dict[str, Any], nonce: str) -> None:
    if said["nonce"] != nonce:
        raise RegisterUnavailable
