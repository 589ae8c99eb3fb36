"""A resident on our own page: signs in by phone, approves in the app, reads what a partner asks for, and says yes or no (D5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from authlib.oauth2 import OAuth2Error

from auth import residents, sign_in_codes, signing_in
from auth.consents import ledger
from auth.errors import AccountClosed
from auth.models import Resident, SignInRequest
from auth.oauth import browsers, deciding, issuing, pages
from auth.oauth.clients import Client
from auth.oauth.deciding import AccessDenied, Interaction, Step
from auth.oauth.entering import tell
from auth.oauth.errors import FormNotOurs, InteractionOver
from auth.oauth.grammar import back
from auth.oauth.models import AuthorizationRequest
from auth.partners import registering
from auth.rules import Level, Strength
from core import clock, ids
from core.actors import Actor
from core.db import session, transaction
from core.errors import CityError
from core.ports import Call
from core.web import Answer

APPROVED = {"device": (Strength.TWO, ("sms", "mfa", "swk")), "counter": (Strength.STRONG, ("sms", "mfa", "pop"))}
FACE = (Strength.STRONG, ("sms", "mfa", "face"))


def show(call: Call, interaction_id: UUID, language: str) -> Answer:
    """The page of the step that is due, or the partner's answer where nothing is."""
    with transaction():
        on = _open(call, interaction_id)
        planted = _take_approval(on)
        return _next(_again(on) if planted is not None else on, language, planted=planted)


def act(actor: Actor, call: Call, interaction_id: UUID, form: Mapping[str, str], language: str) -> Answer:
    """What the resident did on the page; a refusal is shown on the page they did it on."""
    with transaction():
        on = _open(call, interaction_id)
        if not browsers.form_token_fits(on.browser, interaction_id, form.get("token", "")):
            raise FormNotOurs()
        facts = (on.client.partner.city_id, browsers.binding(on.browser))
    step = _STEPS.get(form.get("step", ""))
    if step is None:
        raise FormNotOurs()
    try:
        return step(_Act(actor, call, interaction_id, form, language, *facts))
    except CityError as refusal:
        if isinstance(refusal, InteractionOver):
            raise
        with transaction():
            phone = form.get("phone", "") if form.get("step") == "code" else None
            return _next(_open(call, interaction_id), language, refusal=refusal, phone=phone)


class _Act:
    """One form that was sent."""

    def __init__(
        self, actor: Actor, call: Call, interaction_id: UUID, form: Mapping[str, str], language: str, city_id: int, binding: str
    ) -> None:
        self.actor, self.call, self.id, self.form, self.language = actor, call, interaction_id, form, language
        self.city_id, self.binding = city_id, binding


def _send_code(act: _Act) -> Answer:
    """Send a code; the page that follows is the same for every number."""
    phone = act.form.get("phone", "")
    asked = sign_in_codes.asker(city_id=act.city_id, phone=phone, binding=act.binding, address=act.call.address)
    sign_in_codes.send(asked, language=act.language)
    with transaction():
        return _next(_open(act.call, act.id), act.language, phone=asked.phone)


def _check_code(act: _Act) -> Answer:
    """Sign in by a code; whoever has a stronger factor is asked for that too (D28)."""
    phone, code = act.form.get("phone", ""), act.form.get("code", "").strip()
    asked = sign_in_codes.asker(city_id=act.city_id, phone=phone, binding=act.binding, address=act.call.address)
    mac = sign_in_codes.check(asked, code)
    with transaction():
        on = _open(act.call, act.id)
        sign_in_codes.use(asked, mac)
        resident = residents.admit(act.actor, asked.city_id, asked.phone)
        if resident.state != "active":
            raise AccountClosed()
        if resident.identity_level >= Level.NAMED and signing_in.stronger_ways(resident.id):
            _ask_devices(act.actor, on, resident)
            return _see(act.id)
        planted = browsers.sign_in(on.browser, resident, strength=int(Strength.SMS), methods=("sms",))
        return _see(act.id, planted)


def _prove(act: _Act) -> Answer:
    """Put the wish for a second proof before the resident's other devices."""
    with transaction():
        on = _open(act.call, act.id)
        if on.resident is None or deciding.due(on) is not Step.PROVE:
            return _see(act.id)
        _ask_devices(act.actor, on, on.resident)
        return _see(act.id)


def _start_over(act: _Act) -> Answer:
    """Somebody else, or another way: forget who signed in here."""
    with transaction():
        on = _open(act.call, act.id)
        on.request.sign_in_request_id = None
        if on.held is not None and on.resident is not None:
            issuing.end_session(browsers.actor_of(on.held, on.resident), on.held.id)
        browsers.leave(on.browser)
        return _see(act.id)


def _look(act: _Act) -> Answer:
    """Look whether the app has approved."""
    return _see(act.id)


def _consent(act: _Act) -> Answer:
    """Write the consents down, each for its purpose and text, and answer the partner."""
    with transaction():
        on = _open(act.call, act.id)
        if on.held is None or on.resident is None or deciding.due(on) is not Step.CONSENT:
            return _see(act.id)
        resident = browsers.actor_of(on.held, on.resident)
        for ask in deciding.consents_due(on):
            # What was read on the page is what is agreed to: a text that changed meanwhile is shown again.
            if act.form.get(f"text_{ask.purpose.code}") != str(ask.purpose.text_version):
                return _see(act.id)
            ledger.grant(resident, on.client.partner, ask.purpose, ask.fields, offline=ask.offline)
        return _next(on, act.language)


def _refuse(act: _Act) -> Answer:
    """The resident says no: the partner is told, and nothing else."""
    with transaction():
        return _finish(_open(act.call, act.id), AccessDenied("The resident refused"))


_STEPS: dict[str, Callable[[_Act], Answer]] = {
    "phone": _send_code,
    "code": _check_code,
    "prove": _prove,
    "over": _start_over,
    "look": _look,
    "consent": _consent,
    "refuse": _refuse,
}


def _open(call: Call, interaction_id: UUID) -> Interaction:
    """A request that is being answered in this very browser; InteractionOver otherwise, without saying why."""
    browser = browsers.of_call(call)
    request = session().get(AuthorizationRequest, interaction_id, with_for_update=True, populate_existing=True)
    if browser is None or request is None or request.browser_id != browser.id:
        raise InteractionOver()
    partner = registering.living(request.partner_id)
    if partner is None or request.finished_at is not None or clock.now() >= request.expires_at:
        raise InteractionOver()
    return deciding.read(request, browser, Client(partner))


def _again(on: Interaction) -> Interaction:
    return deciding.read(on.request, on.browser, on.client)


def _ask_devices(actor: Actor, on: Interaction, resident: Resident) -> None:
    name = f"浏览器登录：{on.client.partner.zh}"
    made = signing_in.ask(actor, resident, thumbprint=browsers.binding(on.browser), device_name=name)
    on.request.sign_in_request_id = made.id
    session().flush()


def _take_approval(on: Interaction) -> str | None:
    """Let in whom another device approved: the cookie to plant, empty where the browser keeps its own; None where nothing was approved."""
    if on.request.sign_in_request_id is None:
        return None
    asked = session().get(SignInRequest, on.request.sign_in_request_id, with_for_update=True)
    if asked is None or asked.state != "approved" or clock.now() >= asked.expires_at:
        return None
    asked.state, on.request.sign_in_request_id = "used", None
    strength, methods = APPROVED.get(asked.approved_by or "", FACE)
    if on.held is not None and on.held.resident_id == asked.resident_id:
        browsers.raise_strength(on.browser, on.held, strength=int(strength), methods=methods)
        return ""
    return browsers.sign_in(on.browser, residents.get(asked.resident_id), strength=int(strength), methods=methods)


def _next(
    on: Interaction, language: str, *, planted: str | None = None, refusal: CityError | None = None, phone: str | None = None
) -> Answer:
    """The page that is due, with the refusal of what was just tried, or the answer to the partner."""
    try:
        step = deciding.due(on)
        if step is Step.DONE:
            answer = _finish(on, None)
        else:
            asked = deciding.consents_due(on) if step is Step.CONSENT else ()
            shown = phone if step is Step.PHONE else None
            answer = pages.interaction(on, step, asked, language=language, refusal=refusal, phone=shown)
    except OAuth2Error as error:
        answer = _finish(on, error)
    if planted:
        answer.headers["Set-Cookie"] = planted
    return answer


def _finish(on: Interaction, error: OAuth2Error | None) -> Answer:
    """Answer the partner once: a code, or why there is none."""
    on.request.finished_at = clock.now()
    session().flush()
    if error is not None:
        return tell(error, on.wanted.redirect_uri, on.wanted.state)
    assert on.held is not None
    assert on.resident is not None
    actor = browsers.actor_of(on.held, on.resident)
    acr = on.wanted.class_given(on.resident.identity_level, on.held.strength)
    assert acr is not None
    scopes = deciding.scopes_given(on)
    code = issuing.give_code(actor, on.client, on.wanted, scopes=scopes, acr=acr, methods=list(on.browser.methods))
    return back(on.wanted.redirect_uri, on.wanted.state, code=code)


def _see(interaction_id: UUID, planted: str | None = None) -> Answer:
    """Back to the page, so that loading it again sends nothing twice."""
    headers = {"Location": f"/oauth2/interactions/{ids.show('interaction', interaction_id)}"}
    return Answer(b"", status=303, headers={**headers, **({"Set-Cookie": planted} if planted else {})})
