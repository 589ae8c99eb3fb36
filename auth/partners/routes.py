"""HTTP of partners: staff register them, change their keys and texts, and switch them on and off."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth.partners import registering, schemas
from auth.partners.errors import PartnerCodeTaken, PartnerKeysInvalid, RedirectInvalid, ScopeUnknown
from auth.partners.models import Partner, PartnerPurpose
from auth.partners.registering import PurposeText, Registration
from auth.scopes import Permission
from core.actors import Actor
from core.errors import NotFound
from core.web import Routes, staff

routes = Routes("partners")


@routes.post(
    "/api/partners",
    operation="registerPartner",
    access=staff(Permission.PARTNER_REGISTER),
    takes=schemas.PartnerIn,
    gives=schemas.PartnerOut,
    idempotent=True,
    status=201,
    errors=(PartnerCodeTaken, PartnerKeysInvalid, RedirectInvalid, ScopeUnknown),
)
def register_partner(actor: Actor, body: dict[str, Any]) -> Partner:
    """Register a system of an agency with its keys, scopes, purposes and addresses."""
    wanted = Registration(
        code=body["code"],
        zh=body["zh"],
        en=body["en"],
        agency_id=body["agency"],
        kind=body["kind"],
        scopes=tuple(body["scopes"]),
        redirect_uris=tuple(body["redirect_uris"]),
        logout_uris=tuple(body["logout_uris"]),
        keys=body["keys"],
        purposes=tuple(_purpose(each) for each in body["purposes"]),
        dpop_required=body["dpop_required"],
        push_required=body["push_required"],
    )
    return registering.register(actor, actor.city_id, wanted)


@routes.get("/api/partners", operation="listPartners", access=staff(Permission.PARTNER_READ), gives=schemas.PartnersOut)
def list_partners(actor: Actor) -> dict[str, Any]:
    """List the partners of the city."""
    return {"items": registering.all_of_city(actor.city_id)}


@routes.put(
    "/api/partners/<id:partner>/state",
    operation="switchPartner",
    access=staff(Permission.PARTNER_SWITCH),
    takes=schemas.SwitchIn,
    gives=schemas.PartnerOut,
    errors=(NotFound,),
)
def switch_partner(actor: Actor, partner: UUID, body: dict[str, Any]) -> Partner:
    """Switch a partner on or off; off, it is refused everywhere within a second."""
    return registering.switch(actor, partner, on=body["on"])


@routes.put(
    "/api/partners/<id:partner>/keys",
    operation="replacePartnerKeys",
    access=staff(Permission.PARTNER_REGISTER),
    takes=schemas.KeysIn,
    gives=schemas.PartnerOut,
    errors=(NotFound, PartnerKeysInvalid),
)
def replace_partner_keys(actor: Actor, partner: UUID, body: dict[str, Any]) -> Partner:
    """Set the keys by which a partner proves itself; old and new may stand beside each other."""
    return registering.replace_keys(actor, partner, body["keys"])


@routes.post(
    "/api/partners/<id:partner>/purposes",
    operation="writePurpose",
    access=staff(Permission.PARTNER_REGISTER),
    takes=schemas.PurposeIn,
    gives=schemas.PurposeOut,
    status=201,
    errors=(NotFound,),
)
def write_purpose(actor: Actor, partner: UUID, body: dict[str, Any]) -> PartnerPurpose:
    """Write a purpose, or the next version of its text; consents by older texts keep what they say."""
    return registering.write_purpose(actor, registering.of_city(actor, partner, lock=True), _purpose(body))


def _purpose(body: dict[str, Any]) -> PurposeText:
    return PurposeText(code=body["code"], zh=body["zh"], en=body["en"], fields=tuple(body["fields_"]))
