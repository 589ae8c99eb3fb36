"""The catalogue over HTTP."""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from core.web import Routes, anyone, staff
from services.catalogue import offers, schemas
from services.catalogue.offers import ItemUnknown, Offer

routes = Routes("catalogue")


@routes.get(
    "/api/items",
    operation="listItems",
    access=anyone(reason="what a city offers is public"),
    query=schemas.CityQuery,
    gives=schemas.CatalogueOut,
    etag=True,
)
def list_items(actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    """The public services of a city, in both languages, with their law, fee and agency."""
    return {"services": [shown(each, on) for each, on in offers.offers_of(query["city"] or actor.city_id)]}


@routes.post(
    "/api/items/<item>/switch",
    operation="switchItem",
    access=staff("services:item:switch"),
    takes=schemas.SwitchIn,
    gives=schemas.ItemOut,
    errors=(ItemUnknown,),
)
def switch_item(actor: Actor, item: str, body: dict[str, Any]) -> dict[str, Any]:
    """Take a service of the staff member's city out of service, or bring it back."""
    return shown(*offers.switch(actor, item, **body))


def shown(offer: Offer, on: bool) -> dict[str, Any]:
    """An offer as everybody sees it."""
    item = offer.item
    zh, en = item.texts["zh-CN"], item.texts["en"]
    worded = ("name", "summary", "account_label", "account_help", "materials")
    return {
        "code": item.code,
        "kind": item.kind.value,
        **{each: {"zh_cn": getattr(zh, each), "en": getattr(en, each)} for each in worded},
        "account_pattern": item.filled.account,
        "law": [{"zh_cn": law.zh, "en": law.en, "number": law.number} for law in item.law],
        "fee_fen": item.fee_fen,
        "agency": {"code": offer.company, "zh_cn": offer.zh, "en": offer.en},
        "on": on,
    }
