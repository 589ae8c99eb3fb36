"""Challenges: 256 random bits, kept as a digest for five minutes, taken back once by whoever they were given to."""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum
from uuid import UUID

import psycopg
from sqlalchemy import delete

from auth.installing import parts
from auth.passkeys.models import PasskeyChallenge
from core import clock, db
from core.errors import Unavailable

_TAKE = "DELETE FROM passkey_challenge WHERE digest = %s AND purpose = %s AND binding = %s RETURNING expires_at"


class Purpose(StrEnum):
    """What a challenge is good for, and for nothing else."""

    ADD = "add"
    SIGN_IN = "sign_in"
    STEP_UP = "step_up"


def give(purpose: Purpose, *, city_id: int, binding: str, resident_id: UUID | None = None) -> bytes:
    """A new challenge in the current transaction, for one purpose and one key or session."""
    challenge = secrets.token_bytes(32)
    db.session().add(
        PasskeyChallenge(
            digest=_digest(challenge),
            city_id=city_id,
            resident_id=resident_id,
            purpose=str(purpose),
            binding=binding,
            expires_at=clock.now() + parts().policy.passkey_challenge_lifetime,
        )
    )
    db.session().flush()
    return challenge


def take(purpose: Purpose, challenge: bytes, *, binding: str) -> bool:
    """Use a challenge up; False for one that is unknown, used, too old, or was given to somebody else or for something else.

    Durable at once and before the answer is looked at, so that of two answers to one challenge at most one is, whatever becomes of it.
    """
    try:
        row = db.connection().execute(_TAKE, (_digest(challenge), str(purpose), binding)).fetchone()
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault
    return row is not None and clock.now() < row[0]


def forget_old() -> None:
    """Remove what nobody answered, in the current transaction."""
    db.session().execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < clock.now()))


def _digest(challenge: bytes) -> bytes:
    # Plain SHA-256 is right here: there are 256 random bits and nothing to guess.
    return hashlib.sha256(challenge).digest()
