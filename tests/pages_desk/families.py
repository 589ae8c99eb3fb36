"""Children under fourteen and who answers for them, and what a clerk does with both at the counter."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from playwright.sync_api import Page, expect

from command.story.phone import Phone
from config.cities.loading import load
from config.cities.people import residents
from core.clock import today
from tests.pages_desk.conftest import City, Desk

NEEDED = ("user_agreement", "privacy_policy", "identity_data")
GUARDIAN = '[data-test="guardian-card"]'
CHILDHOOD = dt.timedelta(days=13 * 365)


def moved_here(city: City) -> tuple[Phone, dict[str, Any]]:
    """A child of the other demo city, whom this one has not named: the phone they were given, and what stands on their card."""
    there = load("linhu")
    waiting = [each for each in residents(there) if today() - each.birth < CHILDHOOD and each.key not in city.met]
    child = secrets.choice(waiting)
    city.met.add(child.key)
    stage, number = city.stage, f"19905{secrets.randbelow(10**6):06}"
    phone = Phone(stage.wire, stage.outside, number=number, city=stage.city["city_id"], issuer=stage.issuer)
    return phone, {"name": child.name, "citizen_number": child.citizen_number, "phone": number}


def family(city: City) -> tuple[dict[str, Any], dict[str, Any]]:
    """A child whom the city named before it asked guardians, and the parent, who is named too."""
    people = {each["key"]: each for each in city.stage.city["people"]}
    named = {key: each for key, each in people.items() if each["identity_level"] >= 2}
    young = [each for each in named.values() if today() - dt.date.fromisoformat(each["birth"]) < CHILDHOOD]
    child = secrets.choice([each for each in young if each["guardian"] in named and each["key"] not in city.met])
    city.met.add(child["key"])
    return child, named[child["guardian"]]


def bring_child(desk: Desk, phone: Phone, child: dict[str, Any]) -> None:
    """Phone and card of a child, up to where the city asks for a guardian."""
    desk.go("identity")
    desk.check_phone(phone)
    desk.read_chip(child)
    desk.page.locator('[data-test="prove"]').click()
    expect(desk.page.locator('[data-test="guardian-needed"]')).to_be_visible()
    expect(desk.page.locator("details")).to_have_count(4)


def speak(desk: Desk, guardian: dict[str, Any], *kinds: str, document: str = "household_register") -> None:
    """The guardian's card, the proof of guardianship, and the texts that the guardian agrees to."""
    desk.read_chip(guardian, GUARDIAN)
    desk.page.locator(f'input[value="{document}"]').check()
    tick(desk.page, *kinds)


def tick(page: Page, *kinds: str) -> None:
    """Agree to these texts."""
    for kind in kinds:
        page.locator(f'input[name="{kind}"]').check()
