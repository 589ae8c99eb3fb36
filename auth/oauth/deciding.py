"""What is still due before a partner gets its answer: sign in, prove more, wait, consent, or nothing. Reads; changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from authlib.oauth2 import OAuth2Error

from auth import residents, signing_in
from auth.consents import ledger, subjects
from auth.models import Resident, SignIn, SignInRequest
from auth.oauth import browsers, wanting
from auth.oauth.clients import Client
from auth.oauth.models import AuthorizationRequest, Browser
from auth.oauth.wanting import Unmet, Wanted
from auth.partners import registering
from auth.partners.models import PartnerPurpose
from auth.partners.rules import SIGN_IN
from auth.rules import AgeBand
from auth.scopes import PartnerScope
from core import clock
from core.db import session


class Step(StrEnum):
    """What our page asks for next."""

    PHONE = "phone"
    WAIT = "wait"
    PROVE = "prove"
    CONSENT = "consent"
    DONE = "done"


class LoginRequired(OAuth2Error):
    """Nobody is signed in, and no page may be shown (OpenID Connect Core 3.1.2.6)."""

    error = "login_required"


class ConsentRequired(OAuth2Error):
    """The resident has not consented, and no page may be shown."""

    error = "consent_required"


class AccessDenied(OAuth2Error):
    """The resident said no, or may not say yes."""

    error = "access_denied"


@dataclass(frozen=True, slots=True)
class Ask:
    """A purpose for which consent is missing: its text, the fields that are asked for, and whether it goes on after the resident leaves."""

    purpose: PartnerPurpose
    fields: tuple[str, ...]
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Interaction:
    """A request on our page, with everything that decides about it."""

    request: AuthorizationRequest
    browser: Browser
    client: Client
    wanted: Wanted
    held: SignIn | None
    resident: Resident | None

    @property
    def silent(self) -> bool:
        """Whether no page may be shown (``prompt=none``)."""
        return "none" in self.wanted.prompt


def read(request: AuthorizationRequest, browser: Browser, client: Client) -> Interaction:
    """Put a request, its browser and whoever is signed in there together."""
    held = browsers.session_of(browser, client.partner.city_id)
    resident = session().get(Resident, held.resident_id) if held is not None else None
    return Interaction(request, browser, client, wanting.read(client, request.parameters), held, resident)


def due(on: Interaction) -> Step:
    """The next step; raises an OAuth2Error where the partner's answer is a refusal."""
    if on.held is None or on.resident is None or _must_sign_in_again(on, on.held):
        return _shown(on, Step.WAIT if waiting(on) is not None else Step.PHONE, LoginRequired())
    if _of_other_resident(on, on.resident):
        if on.held.proved_at >= on.request.created_at:
            raise LoginRequired()
        return _shown(on, Step.PHONE, LoginRequired())
    asked = consents_due(on)
    if _must_prove_more(on, on.held, on.resident, asked):
        return _shown(on, Step.WAIT if waiting(on) is not None else Step.PROVE, LoginRequired())
    if on.wanted.class_given(on.resident.identity_level, on.held.strength) is None:
        raise Unmet()
    if asked:
        if residents.age_band(on.resident.id) is AgeBand.UNDER_14:
            raise AccessDenied("Under fourteen a guardian has to consent")
        return _shown(on, Step.CONSENT, ConsentRequired())
    return Step.DONE


def consents_due(on: Interaction) -> tuple[Ask, ...]:
    """The purposes for which no consent holds that covers what is asked, by the present text."""
    assert on.resident is not None
    texts = registering.purposes(on.client.id)
    asked = [Ask(texts[SIGN_IN], on.wanted.fields, on.wanted.asks_offline)] if SIGN_IN in texts else []
    asked += [Ask(texts[code], tuple(texts[code].fields)) for code in on.wanted.purposes if code in texts]
    return tuple(each for each in asked if not _covered(on, on.resident, each))


def scopes_given(on: Interaction) -> tuple[str, ...]:
    """What was asked for; ``offline_access`` is passed over unless the consent that stands has it (OpenID Connect Core 11)."""
    assert on.resident is not None
    consent = ledger.living(on.resident.id, on.client.id, SIGN_IN)
    offline = consent is not None and consent.offline
    return tuple(scope for scope in on.wanted.scopes if offline or scope != PartnerScope.OFFLINE)


def waiting(on: Interaction) -> SignInRequest | None:
    """The request for approval that lies before the resident's other devices."""
    found = session().get(SignInRequest, on.request.sign_in_request_id) if on.request.sign_in_request_id else None
    return found if found is not None and found.state == "waiting" and clock.now() < found.expires_at else None


def strength_due(on: Interaction, asked: Sequence[Ask]) -> int:
    """How strong the session must be for the wanted class and for the fields that are given away."""
    fields = [field for each in asked for field in each.fields]
    return max(on.wanted.least()[1], ledger.strength_for(fields))


def _shown(on: Interaction, step: Step, refusal: OAuth2Error) -> Step:
    """A step that needs a page, or the refusal where none may be shown."""
    if on.silent:
        raise refusal
    return step


def _must_sign_in_again(on: Interaction, held: SignIn) -> bool:
    if held.proved_at >= on.request.created_at:
        return False
    too_old = on.wanted.max_age is not None and clock.now() - held.proved_at > dt.timedelta(seconds=on.wanted.max_age)
    return too_old or on.wanted.max_age == 0 or bool(on.wanted.prompt & {"login", "select_account"})


def _of_other_resident(on: Interaction, resident: Resident) -> bool:
    return on.wanted.subject is not None and on.wanted.subject != subjects.name_of(on.client.id, resident.id)


def _must_prove_more(on: Interaction, held: SignIn, resident: Resident, asked: Sequence[Ask]) -> bool:
    """Whether a second proof is due. Where the resident has nothing to prove with, a wish for it is passed over and a need is refused."""
    fresh = ledger.freshness_for([field for each in asked for field in each.fields])
    stale = fresh is not None and clock.now() - held.proved_at > fresh
    if held.strength >= strength_due(on, asked) and not stale:
        return False
    if signing_in.stronger_ways(resident.id):
        return True
    if ledger.strength_for([field for each in asked for field in each.fields]) > held.strength or stale:
        raise AccessDenied("The resident cannot prove who they are strongly enough to share this")
    return False


def _covered(on: Interaction, resident: Resident, ask: Ask) -> bool:
    consent = ledger.living(resident.id, on.client.id, ask.purpose.code)
    if consent is None or consent.text_version != ask.purpose.text_version or not set(ask.fields) <= set(consent.fields):
        return False
    return "consent" not in on.wanted.prompt or consent.granted_at >= on.request.created_at
