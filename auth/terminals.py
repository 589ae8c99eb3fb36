"""Terminals: registered by staff, enrolled with their own key by a one-time code, signed in with it, disabled at once (D17)."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from auth import enrolment_codes, jwk, jws, proofs
from auth.errors import AssertionRefused, EnrolmentRefused, FunctionUnknown, ProofRefused
from auth.installing import parts
from auth.models import Terminal
from auth.networks import key as network_key
from auth.policy import HOUR
from auth.rules import Strength
from auth.scopes import TerminalFunction
from core import audit, clock, crypto, ids, limits, revocation
from core.actors import Actor, ActorKind, system
from core.db import session, transaction
from core.errors import NotFound
from core.vocabulary import AuditEvent

ASSERTION_TYPE = "terminal+jwt"
ASSERTION_AGE = dt.timedelta(seconds=60)
_MEMBERS = frozenset({"typ", "alg", "kid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a terminal is to be: its name, what it may do, and for whom."""

    name: str
    functions: tuple[str, ...]
    merchant_id: UUID | None = None
    agency_id: UUID | None = None
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A new terminal and the code by which it enrols its key, shown once."""

    id: UUID
    name: str
    enrolment_code: str = field(repr=False)
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """A token and the secret that signs each request under it."""

    access_token: str = field(repr=False)
    session_key: str = field(repr=False)
    expires_in: int
    token_type: str = "Bearer"  # the name of the scheme


def register(actor: Actor, city_id: int, wanted: Description) -> Registered:
    """Register a terminal in the current transaction; FunctionUnknown for a function that does not exist."""
    made, code = _make(city_id, wanted), enrolment_codes.new()
    made.enrolment_digest = enrolment_codes.digest(code)
    made.enrolment_expires_at = clock.now() + parts().policy.enrolment_lifetime
    session().add(made)
    session().flush()
    detail = {"functions": list(wanted.functions)}
    audit.record(actor, AuditEvent.TERMINAL_REGISTERED, city_id=city_id, subject=ids.show("terminal", made.id), detail=detail)
    return Registered(made.id, made.name, code, made.enrolment_expires_at)


def admit(city_id: int, wanted: Description, public_jwk: dict[str, Any], *, terminal_id: UUID | None = None) -> UUID:
    """Register and enrol a terminal whose key is known already, in the current transaction: for bulk orders and demo cities."""
    made = _make(city_id, wanted)
    made.id = terminal_id or made.id
    _take_key(made, public_jwk)
    session().add(made)
    session().flush()
    actor = system("terminals", city_id)
    audit.record(actor, AuditEvent.TERMINAL_ENROLLED, city_id=city_id, subject=ids.show("terminal", made.id))
    return made.id


def _make(city_id: int, wanted: Description) -> Terminal:
    for function in wanted.functions:
        if function not in set(TerminalFunction):
            raise FunctionUnknown(function=function)
    account = wanted.account_id
    if account is None and wanted.merchant_id is not None:
        account = parts().above.merchant_account(city_id, wanted.merchant_id)
    return Terminal(
        id=ids.new_id(),
        city_id=city_id,
        merchant_id=wanted.merchant_id,
        agency_id=wanted.agency_id,
        account_id=account,
        name=wanted.name,
        functions=sorted(set(wanted.functions)),
        state="registered",
        created_at=clock.now(),
    )


def enrol(*, code: str, public_jwk: dict[str, Any], proof: proofs.Proof, address: str) -> Terminal:
    """Give a registered terminal its key, by its code, once; the same answer for a wrong, used and expired code."""
    limits.count("enrolments_network", network_key(address), per=HOUR, at_most=parts().policy.enrolment_tries_per_network_hour)
    if jwk.thumbprint(jwk.public(jwk.read(public_jwk))) != proof.thumbprint:
        raise ProofRefused(reason="key")
    with transaction():
        wanted = select(Terminal).where(Terminal.enrolment_digest == enrolment_codes.digest(code), Terminal.state == "registered")
        found = session().scalar(wanted.with_for_update())
        if found is None or found.enrolment_expires_at is None or clock.now() >= found.enrolment_expires_at:
            raise EnrolmentRefused()
        _take_key(found, public_jwk)
        try:
            session().flush()
        except IntegrityError as fault:
            raise EnrolmentRefused() from fault
        actor = Actor(kind=ActorKind.TERMINAL, id=found.id, city_id=found.city_id)
        audit.record(actor, AuditEvent.TERMINAL_ENROLLED, city_id=found.city_id, subject=ids.show("terminal", found.id))
        session().expunge(found)
        return found


def _take_key(terminal: Terminal, public_jwk: dict[str, Any]) -> None:
    public = jwk.public(jwk.read(public_jwk))
    terminal.public_jwk, terminal.thumbprint = dict(public), jwk.thumbprint(public)
    terminal.state, terminal.enrolled_at = "active", clock.now()
    terminal.enrolment_digest = terminal.enrolment_expires_at = None


def sign_in(assertion: str) -> TerminalSession:
    """Exchange a terminal's signed assertion for a ten-minute token and its session key; AssertionRefused says why not."""
    try:
        statement = jws.read(assertion, type_=ASSERTION_TYPE, members=_MEMBERS)
        terminal_id = ids.parse("terminal", str(statement.header["kid"]))
        with transaction():
            found = session().get(Terminal, terminal_id)
            if found is None or found.state != "active" or found.public_jwk is None:
                raise AssertionRefused(reason="terminal")
            claims = statement.check(jwk.known(found.public_jwk))
            actor = _actor(found)
        _check(claims, terminal_id)
    except jws.Unreadable as fault:
        raise AssertionRefused(reason=fault.reason) from fault
    except NotFound as fault:
        raise AssertionRefused(reason="kid") from fault
    except ProofRefused as fault:
        raise AssertionRefused(reason=fault.facts["reason"]) from fault
    issued = parts().tokens.issue(actor)
    key = base64.urlsafe_b64encode(session_key(issued.jti)).decode().rstrip("=")
    return TerminalSession(issued.access_token, key, issued.expires_in)


def _check(claims: dict[str, Any], terminal_id: UUID) -> None:
    shown = ids.show("terminal", terminal_id)
    if claims.get("iss") != shown or claims.get("sub") != shown or claims.get("aud") not in parts().origins:
        raise AssertionRefused(reason="iss, sub or aud")
    proofs.check_age(claims.get("iat"), ASSERTION_AGE)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 16 <= len(jti) <= 128:
        raise AssertionRefused(reason="jti")
    proofs.use_once(f"{terminal_id}|{jti}", ASSERTION_AGE)


def session_key(jti: str) -> bytes:
    """The secret under which the bearer of a token signs each request; derived from the token's id, so nothing is stored."""
    return crypto.keyring().mac("terminal-session", jti.encode())


def _actor(terminal: Terminal) -> Actor:
    return Actor(
        kind=ActorKind.TERMINAL,
        id=terminal.id,
        city_id=terminal.city_id,
        scopes=frozenset(terminal.functions),
        strength=int(Strength.STRONG),
        signed_in_at=clock.now(),
        agency_id=terminal.agency_id,
        merchant_id=terminal.merchant_id,
        account_id=terminal.account_id,
        name=terminal.name,
    )


def of_city(actor: Actor) -> Sequence[Terminal]:
    """The terminals of the caller's city, newest first."""
    return list(session().scalars(select(Terminal).where(Terminal.city_id == actor.city_id).order_by(Terminal.id.desc()).limit(500)))


def disable(actor: Actor, terminal_id: UUID) -> None:
    """Take the trust back from a terminal, within a second everywhere; NotFound in another city."""
    found = session().get(Terminal, terminal_id, with_for_update=True)
    if found is None or found.city_id != actor.city_id:
        raise NotFound()
    if found.state == "disabled":
        return
    found.state, found.disabled_at = "disabled", clock.now()
    found.enrolment_digest = None
    session().flush()
    revocation.revoke(f"terminal:{terminal_id}")
    audit.record(actor, AuditEvent.TERMINAL_DISABLED, city_id=found.city_id, subject=ids.show("terminal", terminal_id))


def set_account(terminal_id: UUID, account_id: UUID) -> None:
    """Say whose account a terminal fills; tokens issued before end, because they name the old one."""
    session().execute(update(Terminal).where(Terminal.id == terminal_id).values(account_id=account_id, version=Terminal.version + 1))
    revocation.revoke(f"terminal:{terminal_id}")


def city_of(terminal_id: UUID) -> int:
    """The city a terminal stands in; NotFound for none."""
    found = session().get(Terminal, terminal_id)
    if found is None:
        raise NotFound()
    return found.city_id


def public_key(terminal_id: UUID) -> EllipticCurvePublicKey:
    """The key with which an active terminal signs what it uploads; NotFound for another."""
    found = session().get(Terminal, terminal_id)
    if found is None or found.state != "active" or found.public_jwk is None:
        raise NotFound()
    return jwk.known(found.public_jwk)
