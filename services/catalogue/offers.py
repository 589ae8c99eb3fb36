"""What each city offers: an item, the agency that runs it and the way to that agency; and the switch that takes it out of service (D41)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from core import audit, clock
from core.actors import Actor
from core.db import session
from core.errors import NotFound, Unavailable
from core.vocabulary import AuditEvent
from services.catalogue.models import ItemSwitch
from services.gateways.utilities import UtilityCompany
from services.items import Item
from services.tariffs import Terms


class ItemUnknown(NotFound):
    """CityError
    └── NotFound
        └── ItemUnknown  the city does not offer this
    """

    code = "item_unknown"
    zh, en = "本市没有这项服务，请从服务目录中选择", "This city does not offer that service; choose one of the catalogue"


class ItemOff(Unavailable):
    """CityError
    └── Unavailable
        └── ItemOff  switched off for now
    """

    code = "item_off"
    zh, en = (
        "该服务暂停办理，已提交的缴费不受影响，请稍后再来",
        "This service is switched off for now; what was begun goes on. Please come back later",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An item as one city offers it: by which agency, over which gateway, at which tariff."""

    city_id: int
    item: Item
    company: str
    zh: str
    en: str
    gateway: UtilityCompany
    tariff: tuple[Terms, ...]


_offers: dict[tuple[int, str], Offer] = {}


def configure(offered: Iterable[Offer]) -> None:
    """Take over what the cities offer, once per process; a tariff that breaks its item's law is a refusal to start."""
    _offers.clear()
    for each in offered:
        unlawful = [terms.start.isoformat() for terms in each.tariff if not each.item.filled.lawful(terms)]
        if unlawful:
            raise ValueError(f"the tariff of {each.item.code} in {each.city_id} breaks its law from {', '.join(unlawful)}")
        _offers[each.city_id, each.item.code] = each


def offer(city_id: int, item: str) -> Offer:
    """What a city offers under this code, switched on or off; raises ItemUnknown."""
    found = _offers.get((city_id, item))
    if found is None:
        raise ItemUnknown()
    return found


def all_offers() -> list[Offer]:
    """Everything that every city offers."""
    return list(_offers.values())


def open_offer(city_id: int, item: str) -> Offer:
    """The same, for something new to be begun; raises ItemOff. Reads in the current transaction."""
    found = offer(city_id, item)
    if item in switched_off(city_id):
        raise ItemOff()
    return found


def offers_of(city_id: int) -> list[tuple[Offer, bool]]:
    """Everything that a city offers, each with whether it is on."""
    off = switched_off(city_id)
    return [(each, each.item.code not in off) for each in _offers.values() if each.city_id == city_id]


def switched_off(city_id: int) -> set[str]:
    return set(session().scalars(select(ItemSwitch.item).where(ItemSwitch.city_id == city_id, ItemSwitch.off)))


def switch(actor: Actor, item: str, *, on: bool, reason: str) -> tuple[Offer, bool]:
    """Take an item out of service or bring it back, for everybody of the city at once."""
    found = offer(actor.city_id, item)
    values = {"off": not on, "reason": reason, "staff_id": actor.id, "at": clock.now()}
    row = session().get(ItemSwitch, (actor.city_id, item), with_for_update=True)
    if row is None:
        session().add(ItemSwitch(city_id=actor.city_id, item=item, **values))
    else:
        row.off, row.reason, row.staff_id, row.at = not on, reason, actor.id, clock.now()
    session().flush()
    audit.record(
        actor, AuditEvent.ITEM_SWITCHED, city_id=actor.city_id, subject=item, outcome="on" if on else "off", detail={"reason": reason}
    )
    return found, on
