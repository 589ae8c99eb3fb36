"""The invented people of a demo city move in: accounts, cards in every state, money, and those who serve them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import auth
import cards
import payments
from command.demo_keys import DemoKeys, fixed_id, public_jwk
from config.cities import City
from config.cities.people import Resident
from config.cities.shapes import CounterTerminal, Merchant, Partner, Terminal
from core import clock
from core.actors import Actor, system

PRODUCT = "resident"
# Cards were issued over the last ten months, so that lists and reports of the demo are not all of one day.
ISSUED_WITHIN_DAYS = 300
TEN_YEARS = dt.timedelta(days=3652)


def settle(city: City, people: Sequence[Resident], root_key: bytes) -> None:
    """Admit everybody of a demo city in the current transaction."""
    actor, keys = system("demo", city.id), DemoKeys(root_key, city.id)
    _admit(city, people, actor)
    accounts = _issue(city, people, actor)
    _fill(city, people, accounts, actor)
    for merchant in city.merchants:
        _open(city, merchant, keys)
    for terminal in city.counter_terminals:
        _enrol(city, terminal, keys, agency_id=agency_id(city, terminal.agency))
    for member in city.staff:
        newcomer = auth.staff_accounts.Newcomer(
            login=member.login,
            display_name=member.zh,
            roles=(member.role,),
            password=keys.password(member.login),
            agency_id=agency_id(city, member.agency),
            totp_secret=keys.totp_secret(member.login),
        )
        auth.staff_accounts.admit(actor, city.id, newcomer)


def let_in(city: City, partner: Partner, root_key: bytes) -> None:
    """Register a partner of a demo city with a key derived from the installation's own."""
    key = public_jwk(DemoKeys(root_key, city.id).private_key("partner", partner.code))
    wanted = auth.PartnerRegistration(
        id=partner_id(city, partner.code),
        code=partner.code,
        zh=partner.zh,
        en=partner.en,
        agency_id=agency_id(city, partner.agency),
        scopes=partner.scopes,
        redirect_uris=partner.redirect_uris,
        logout_uris=partner.logout_uris,
        keys=[{name: value for name, value in key.items() if name in ("kty", "crv", "x", "y")}],
        purposes=tuple(auth.PurposeText(code=each.code, zh=each.zh, en=each.en, fields=each.fields) for each in partner.purposes),
    )
    auth.admit_partner(city.id, wanted)


def partner_id(city: City, code: str) -> UUID:
    """The id of a partner of the demo: its OAuth client_id."""
    return fixed_id(city.id, "partner", code, city.facts.start)


def resident_id(city: City, key: str) -> UUID:
    """The id of an invented resident, the same in every demo."""
    return fixed_id(city.id, "resident", key, city.facts.start)


def agency_id(city: City, code: str) -> UUID:
    """The id of a city's agency."""
    return fixed_id(city.id, "agency", code, city.facts.start)


def merchant_id(city: City, code: str) -> UUID:
    """The id of a merchant of the demo."""
    return fixed_id(city.id, "merchant", code, city.facts.start)


def terminal_id(city: City, code: str) -> UUID:
    """The id of a terminal of the demo."""
    return fixed_id(city.id, "terminal", code, city.facts.start)


def _admit(city: City, people: Sequence[Resident], actor: Actor) -> None:
    newcomers = [
        auth.Newcomer(
            id=resident_id(city, each.key),
            phone=each.phone,
            name=each.name,
            citizen_number=each.citizen_number,
            identity_level=each.identity_level,
        )
        for each in people
    ]
    auth.admit_many(city.id, newcomers, actor=actor)


def _issue(city: City, people: Sequence[Resident], actor: Actor) -> dict[UUID, UUID]:
    """Give everybody's card and wallet; the answer is each holder's account."""
    holders = [(place, each) for place, each in enumerate(people) if each.card != "none"]
    made: list[cards.MadeCard] = []
    for form in ("virtual", "physical"):
        wanted = [_card(city, each, place) for place, each in holders if each.form == form]
        made += cards.issue_many(actor, city.id, PRODUCT, wanted, form=form)
    accounts = payments.open_wallets(actor, city_id=city.id, resident_ids=[card.resident_id for card in made])
    cards.link_wallets([(card.id, accounts[card.resident_id]) for card in made])
    return accounts


def _card(city: City, person: Resident, place: int) -> cards.NewCard:
    """A card in the state that the city's data give this person, with a past that fits it."""
    now = clock.now()
    issued = now - dt.timedelta(days=1 + place * 37 % ISSUED_WITHIN_DAYS, minutes=place % 600)
    since = now - dt.timedelta(hours=1 + place % 20)
    expired_on = clock.today() - dt.timedelta(days=1 + place % 60) if person.card == "expired" else None
    return cards.NewCard(
        resident_id=resident_id(city, person.key),
        masked_name=auth.mask_name(person.name),
        state=person.card if person.card in ("inactive", "cancelled") else "active",
        issued_at=dt.datetime.combine(expired_on, dt.time(), dt.UTC) - TEN_YEARS if expired_on else issued,
        expires_on=expired_on,
        lost_at=since if person.card == "lost" else None,
        # The cast's reports are formal ones, which do not lapse while a demo runs on for weeks.
        loss_lapses_at=since + dt.timedelta(days=15) if person.card == "lost" and not person.role and place % 2 else None,
        frozen_at=since if person.card == "frozen" else None,
        locked_at=since if person.card == "locked" else None,
    )


def _fill(city: City, people: Sequence[Resident], accounts: dict[UUID, UUID], actor: Actor) -> None:
    """Post what each holder topped up before the demo begins."""
    amounts = {resident_id(city, each.key): each.top_up_fen for each in people if each.top_up_fen}
    payments.credit_opening_top_ups(actor, city_id=city.id, amounts=amounts)


def _open(city: City, merchant: Merchant, keys: DemoKeys) -> None:
    opened = payments.open_merchant(
        city_id=city.id,
        zh=merchant.zh,
        en=merchant.en,
        refund_credit_fen=merchant.refund_credit_fen,
        merchant_id=merchant_id(city, merchant.code),
    )
    for terminal in merchant.terminals:
        agency = agency_id(city, merchant.agency) if merchant.agency else None
        _enrol(city, terminal, keys, merchant_id=opened.id, account_id=opened.account_id, agency_id=agency)


def _enrol(
    city: City,
    terminal: Terminal | CounterTerminal,
    keys: DemoKeys,
    *,
    merchant_id: UUID | None = None,
    account_id: UUID | None = None,
    agency_id: UUID | None = None,
) -> None:
    wanted = auth.TerminalDescription(
        name=terminal.zh, functions=terminal.functions, merchant_id=merchant_id, agency_id=agency_id, account_id=account_id
    )
    key = public_jwk(keys.private_key("terminal", terminal.code))
    auth.admit_terminal(city.id, wanted, key, terminal_id=terminal_id(city, terminal.code))
