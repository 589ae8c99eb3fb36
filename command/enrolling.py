"""One more counter terminal of a demo city, for whoever wants to try the counter's page in a browser of their own."""

from __future__ import annotations

import click

import auth
from command.settling import agency_id, merchant_id
from config.cities import City, load
from config.settings import Settings
from core.actors import system
from core.db import transaction


def register_like(settings: Settings, code: str, *, name: str) -> auth.RegisteredTerminal:
    """Register a terminal with the merchant and the functions of a demo terminal, as an administrator would; its code works once."""
    for city in (load(slug) for slug in settings.cities):
        wanted = _description(city, code, name)
        if wanted is not None:
            with transaction():
                return auth.register_terminal(system("command", city.id), city.id, wanted)
    raise click.ClickException(f"没有终端 {code} · no terminal {code}")


def _description(city: City, code: str, name: str) -> auth.TerminalDescription | None:
    for merchant in city.merchants:
        for each in merchant.terminals:
            if each.code == code:
                owner = merchant_id(city, merchant.code)
                return auth.TerminalDescription(name=name, functions=tuple(map(str, each.functions)), merchant_id=owner)
    for counter in city.counter_terminals:
        if counter.code == code:
            return auth.TerminalDescription(
                name=name, functions=tuple(map(str, counter.functions)), agency_id=agency_id(city, counter.agency)
            )
    return None
