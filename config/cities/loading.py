"""Reads a city's folder into one checked City; every fault is named at once."""

import csv
import hashlib
import json
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from config.cities import shapes
from config.cities.checking import faults_of
from config.cities.offered import OfferedItem
from config.cities.shape import Shape

HERE = Path(__file__).parent
T = TypeVar("T", bound=Shape)


class CityFaults(ValueError):
    """The files of a city contradict themselves or their shapes; `faults` names each place."""

    def __init__(self, city: str, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"the city {city} has {len(faults)} faults:\n  " + "\n  ".join(faults))


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


class Reader:
    """Reads the files of one folder and remembers every fault instead of stopping at the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []

    def toml(self, name: str) -> dict[str, Any]:
        try:
            return read_toml(self.folder / name)
        except (OSError, ValueError) as error:
            self.faults.append(f"{name}: {error}")
            return {}

    def one(self, name: str, shape: type[T]) -> T | None:
        """Read a file that is one entry."""
        raw = self.toml(name)
        return self._shaped(raw, shape, name) if raw else None

    def many(self, raw: dict[str, Any], key: str, shape: type[T], name: str) -> tuple[T, ...]:
        """Read the entries of one kind out of a file already read."""
        return self._all(raw.pop(key, []), shape, f"{name} [{key}]")

    def only(self, name: str, key: str, shape: type[T]) -> tuple[T, ...]:
        """Read a file that holds one kind of entries and nothing else."""
        raw = self.toml(name)
        found = self.many(raw, key, shape, name)
        self.nothing_left(raw, name)
        return found

    def nothing_left(self, raw: dict[str, Any], name: str) -> None:
        self.faults.extend(f"{name}: nobody knows {key!r}" for key in raw)

    def regions(self) -> tuple[shapes.Region, ...]:
        try:
            text = (self.folder / "regions.csv").read_text(encoding="utf-8")
        except OSError as error:
            self.faults.append(f"regions.csv: {error}")
            return ()
        return self._all(csv.DictReader(text.splitlines()), shapes.Region, "regions.csv")

    def cells(self) -> tuple[shapes.Cell, ...]:
        try:
            features = json.loads((self.folder / "grid.geojson").read_text(encoding="utf-8"))["features"]
            raw = [{"code": each["properties"]["code"], "ring": each["geometry"]["coordinates"][0]} for each in features]
        except (OSError, ValueError, LookupError, TypeError) as error:
            self.faults.append(f"grid.geojson: {error!r}")
            return ()
        return self._all(raw, shapes.Cell, "grid.geojson")

    def _all(self, raws: Iterable[Any], shape: type[T], where: str) -> tuple[T, ...]:
        shaped = (self._shaped(raw, shape, f"{where} {number}") for number, raw in enumerate(raws, 1))
        return tuple(each for each in shaped if each is not None)

    def _shaped(self, raw: Any, shape: type[T], where: str) -> T | None:
        try:
            return msgspec.convert(raw, shape)
        except msgspec.ValidationError as error:
            self.faults.append(f"{where}: {error}")
            return None


def fingerprint_of(folder: Path) -> str:
    """Hash everything the city and its people are made from: its files, the names and this code."""
    total = hashlib.sha256()
    sources = [*HERE.glob("*.py"), HERE / "names.toml", *(each for each in folder.iterdir() if each.is_file())]
    for path in sorted(sources):
        total.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def read(folder: Path) -> shapes.City:
    """Read and check the city in a folder; CityFaults names everything that is wrong."""
    reader = Reader(folder)
    facts = reader.one("city.toml", shapes.Facts)
    calendar = reader.one("calendar.toml", shapes.Calendar)
    traders = reader.toml("merchants.toml")
    parts = {
        "regions": reader.regions(),
        "cells": reader.cells(),
        "agencies": reader.only("agencies.toml", "agency", shapes.Agency),
        "places": reader.only("places.toml", "place", shapes.Place),
        "merchants": reader.many(traders, "merchant", shapes.Merchant, "merchants.toml"),
        "counter_terminals": reader.many(traders, "counter_terminal", shapes.CounterTerminal, "merchants.toml"),
        "products": reader.only("products.toml", "product", shapes.Product),
        "staff": reader.only("staff.toml", "staff", shapes.Staff),
        "partners": reader.only("partners.toml", "partner", shapes.Partner),
        "items": reader.only("items.toml", "item", OfferedItem),
        "cast": reader.only("cast.toml", "person", shapes.Person),
    }
    reader.nothing_left(traders, "merchants.toml")
    if facts is None or calendar is None:
        raise CityFaults(folder.name, reader.faults)
    made: dict[str, Any] = {**parts, "facts": facts, "calendar": calendar, "fingerprint": fingerprint_of(folder)}
    city = shapes.City(**made)
    if faults := reader.faults + faults_of(city):
        raise CityFaults(folder.name, faults)
    return city


@lru_cache(maxsize=8)
def load(city: int | str) -> shapes.City:
    """Give the city of that number or slug; LookupError when no folder holds it."""
    for folder in sorted(HERE.glob("*/city.toml")):
        facts = read_toml(folder)
        if city in (facts.get("id"), facts.get("slug")):
            return read(folder.parent)
    raise LookupError(f"no folder under config/cities holds the city {city}")


def load_all() -> tuple[shapes.City, ...]:
    """Give every city, in the order of the folders' names."""
    return tuple(load(path.parent.name) for path in sorted(HERE.glob("*/city.toml")))
