"""Reads the items of a folder: every `.toml` of texts with the declaration beside it; a faulty item is a refusal to start."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from services.items.item import Item, Texts

HERE = Path(__file__).parent
LANGUAGES = ("zh-CN", "en")
MOST_LINES = 80


class ItemFaulty(ValueError):
    """An item's two files do not make an item; the text says why."""


@cache
def items() -> Mapping[str, Item]:
    """The items of the program by code."""
    return read(HERE)


def read(folder: Path) -> Mapping[str, Item]:
    """The items of a folder by code."""
    return {path.stem: _item(path) for path in sorted(folder.glob("*.toml"))}


def _item(path: Path) -> Item:
    declaration = path.with_suffix(".py")
    if not declaration.exists():
        raise ItemFaulty(f"{path.name}: texts without a declaration")
    if len(declaration.read_text(encoding="utf-8").splitlines()) > MOST_LINES:
        raise ItemFaulty(f"{declaration.name}: longer than {MOST_LINES} lines")
    found = getattr(_run(declaration), "ITEM", None)
    if not isinstance(found, Item) or found.code != path.stem:
        raise ItemFaulty(f"{declaration.name}: declares no ITEM of its own name")
    made = replace(found, texts=_texts(path))
    _check(made)
    return made


def _run(declaration: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"services.items.{declaration.stem}", declaration)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _texts(path: Path) -> dict[str, Texts]:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    if set(said) != set(LANGUAGES):
        raise ItemFaulty(f"{path.name}: needs exactly {' and '.join(LANGUAGES)}")
    wanted = {each.name for each in fields(Texts)}
    found = {}
    for language, words in said.items():
        if set(words) != wanted or not all(words.values()):
            raise ItemFaulty(f"{path.name} [{language}]: needs exactly {', '.join(sorted(wanted))}, and none of them empty")
        found[language] = Texts(**{**words, "materials": tuple(words["materials"])})
    return found


def _check(item: Item) -> None:
    """What a declaration must hold beyond its types."""
    if not re.fullmatch(r"[a-z][a-z_]{1,30}", item.code) or not item.law or item.fee_fen < 0:
        raise ItemFaulty(f"{item.code}: needs a lower-case code, a law, and a fee that is not negative")
    if not item.filled.tariff or not all(item.filled.lawful(terms) for terms in item.filled.tariff):
        raise ItemFaulty(f"{item.code}: needs a tariff, and one that keeps to its law")
