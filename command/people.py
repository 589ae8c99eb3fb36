"""`citycard people`: everybody and everything of the demo that an outside program can sign in as, as JSON."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import click

import auth
import cards
from command.demo_keys import DemoKeys, base32, private_jwk
from command.home import current_settings
from command.program import program
from command.settling import agency_id, merchant_id, partner_id, resident_id, terminal_id
from config.cities import City, load, utilities
from config.cities.people import Resident, residents
from config.cities.shapes import Terminal
from config.settings import Settings
from core import clock, ids
from core.actors import Actor, ActorKind
from core.db import transaction

LOOPBACK, EVERYWHERE = "127.0.0.1", ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on
FLAGS = ("expired", "locked", "frozen", "lost")


@click.command()
@click.option("--all", "everybody", is_flag=True, help="全部居民 · every resident, not the cast alone")
@click.option("--newcomer", is_flag=True, help="一位新居民，几行文字 · somebody new to be, in a few lines")
def people(everybody: bool, newcomer: bool) -> None:
    """演示人物 · who one can be in the demo, as JSON."""
    settings = current_settings()
    if settings.production:
        raise click.ClickException("正式环境没有演示人物 · production has no demo people")
    if newcomer:
        with program(settings), transaction():
            click.echo(_newcomer(load(settings.default_city), settings))
        return
    with program(settings), transaction():
        cities = [_city(load(slug), settings, everybody) for slug in settings.cities]
    click.echo(json.dumps({**_how(settings), "cities": cities}, ensure_ascii=False, indent=1))


def _how(settings: Settings) -> dict[str, Any]:
    """Where to sign in and where the codes come from."""
    return {
        "address": settings.public_url,
        "address_here": f"http://{LOOPBACK if settings.host in EVERYWHERE else settings.host}:{settings.port}",
        "api_guide": f"{settings.public_url}/openapi.json",
        "phones": f"{settings.outside_url}/phones",
        "messages_of_a_phone": f"{settings.outside_url}/phones/{{phone}}/messages",
        "sandbox": list(settings.sandboxes),
    }


def _newcomer(city: City, settings: Settings) -> str:
    """Somebody grown up who has neither proved who they are nor a card, and what to type in the app as them."""
    before = clock.today(clock.CHINA).year - 18
    waiting = [each for each in residents(city) if each.identity_level == 1 and each.birth.year < before]
    person = next((each for each in secrets.SystemRandom().sample(waiting, len(waiting)) if _is_new(city, each)), None)
    if person is None:
        raise click.ClickException("没有未实名的居民了 · nobody is left who has not proved who they are")
    held = _utility_accounts(city)[person.household]
    return "\n".join(
        (
            f"  应用 · app                    {settings.public_url}/app/",
            f"  手机号 · phone                {person.phone}",
            "  验证码 · code                 应用里的链接打开这部手机的短信 · a link in the app shows this phone's messages",
            f"  姓名 · name                   {person.name}",
            f"  身份证号 · citizen number     {person.citizen_number}",
            "  人脸 · face                   选“本人”· choose 本人",
            *(f"  户号 · account {code:<15}{number}" for code, number in held.items() if code != "owner"),
            f"  户主 · accounts' owner        {held['owner']}",
        )
    )


def _is_new(city: City, person: Resident) -> bool:
    return auth.identity_level(resident_id(city, person.key)) == auth.Level.PHONE and not _cards_of(city, person)


def _cards_of(city: City, person: Resident) -> Sequence[cards.CardView]:
    return cards.cards_of(Actor(kind=ActorKind.RESIDENT, id=resident_id(city, person.key), city_id=city.id))


def _city(city: City, settings: Settings, everybody: bool) -> dict[str, Any]:
    keys, inhabitants = DemoKeys(settings.root_key, city.id), residents(city)
    shown = inhabitants if everybody else inhabitants[: len(city.cast)]
    bills = _utility_accounts(city)
    told = [_person(city, each, bills) for each in shown]
    return {
        "city_id": city.id,
        "slug": city.slug,
        "zh": city.facts.zh,
        "en": city.facts.en,
        "pay_code_prefix": city.facts.pay_code_prefix,
        "people": told,
        "cards_by_state": _by_state(told),
        "staff": [_staff(city, keys, number) for number in range(len(city.staff))],
        "terminals": list(_terminals(city, keys)),
        "partners": [_partner(city, keys, number) for number in range(len(city.partners))],
    }


def _person(city: City, person: Resident, bills: dict[int, dict[str, Any]]) -> dict[str, Any]:
    identity = resident_id(city, person.key)
    held = _cards_of(city, person)
    return {
        "key": person.key,
        "resident": ids.show("resident", identity),
        "name": person.name,
        "pinyin": person.pinyin,
        "sex": person.sex,
        "birth": person.birth.isoformat(),
        "citizen_number": person.citizen_number,
        "phone": person.phone,
        "guardian": person.guardian,
        "address": person.address,
        "grid_cell": person.cell,
        "settled_level": person.identity_level,  # as the demo city was made; the next is how it is now
        "identity_level": auth.identity_level(identity),
        "role": person.role,
        "topped_up_fen": person.top_up_fen,
        "utility_accounts": bills.get(person.household),
        "cards": [_card(card) for card in held],
    }


def _utility_accounts(city: City) -> dict[int, dict[str, Any]]:
    """By household: the account number of each bill, and the name that owns them."""
    held = utilities.owners(city)
    return {
        household: {
            "owner": owner.name,
            **{item.code: utilities.account_number(city, item.code, household) for item in city.items if item.code in utilities.DIGITS},
        }
        for household, owner in held.items()
    }


def _card(card: cards.CardView) -> dict[str, Any]:
    """A card with one word for how it stands now: its state, or the gravest flag on it."""
    flags = card.flags
    standing = next((flag for flag in FLAGS if flags[flag]), card.state) if card.state == "active" else card.state
    return {
        "card": ids.show("card", card.id),
        "issuer": card.issuer,
        "number": card.number,
        "product": card.product,
        "form": card.form,
        "state": card.state,
        "flags": flags,
        "standing": standing,
        "expires_on": card.expires_on.isoformat(),
    }


def _by_state(told: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
    """Cards by how they stand, each with its holder, five of a kind at most."""
    found: dict[str, list[dict[str, str]]] = {}
    for person in told:
        for card in person["cards"]:
            found.setdefault(card["standing"], []).append({"holder": person["key"], "card": card["card"], "number": card["number"]})
    return {standing: listed[:5] for standing, listed in sorted(found.items())}


def _staff(city: City, keys: DemoKeys, number: int) -> dict[str, Any]:
    member = city.staff[number]
    return {
        "login": member.login,
        "name": member.zh,
        "pinyin": member.en,
        "role": member.role,
        "agency": member.agency,
        "place": member.place or None,
        "password": keys.password(member.login),
        "totp_secret": base32(keys.totp_secret(member.login)),
        "permissions": sorted(auth.PERMISSIONS[auth.Role(member.role)]),
    }


def _terminals(city: City, keys: DemoKeys) -> Iterable[dict[str, Any]]:
    for merchant in city.merchants:
        owner = {"merchant": ids.show("merchant", merchant_id(city, merchant.code)), "merchant_name": merchant.zh}
        yield from ({**_terminal(city, keys, each), **owner} for each in merchant.terminals)
    for counter in city.counter_terminals:
        yield {**_terminal(city, keys, counter), "agency": counter.agency}


def _terminal(city: City, keys: DemoKeys, terminal: Terminal) -> dict[str, Any]:
    return {
        "code": terminal.code,
        "terminal": ids.show("terminal", terminal_id(city, terminal.code)),
        "name": terminal.zh,
        "name_en": terminal.en,
        "functions": list(terminal.functions),
        "private_jwk": private_jwk(keys.private_key("terminal", terminal.code)),
    }


def _partner(city: City, keys: DemoKeys, number: int) -> dict[str, Any]:
    partner = city.partners[number]
    return {
        "code": partner.code,
        "name": partner.zh,
        "name_en": partner.en,
        "agency": ids.show("agency", agency_id(city, partner.agency)),
        "client_id": ids.show("partner", partner_id(city, partner.code)),
        "scopes": list(partner.scopes),
        "purposes": [purpose.code for purpose in partner.purposes],
        "redirect_uris": list(partner.redirect_uris),
        "logout_uris": list(partner.logout_uris),
        "private_jwk": private_jwk(keys.private_key("partner", partner.code)),
    }
