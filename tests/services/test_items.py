"""One contract for every item, those of the program and the one that the tutorial adds; and what makes a faulty one be refused."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from config import cities
from config.cities.offered import OfferedItem
from core import db
from outside.utility_books import tariff_of
from services import catalogue
from services.items import Item, ItemFaulty, items, read
from services.offices.utilities import Company
from services.tariffs import Terms, Tier
from tests.services.conftest import Hall, Line, OfficeUtility, offers_of

ITEMS = Path(__file__).parents[2] / "services" / "items"
TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorials" / "add-a-service.md"
BLOCKS = re.compile(r"```\w+\n# (\S+)\n(.*?)```", re.DOTALL)


def blocks() -> dict[str, str]:
    """The files that the tutorial writes."""
    return dict(BLOCKS.findall(TUTORIAL.read_text()))


def heating(folder: Path) -> Item:
    """The item that the tutorial adds, from exactly the two files it shows."""
    for name in ("services/items/heating.py", "services/items/heating.toml"):
        (folder / Path(name).name).write_text(blocks()[name])
    return read(folder)["heating"]


@pytest.fixture(params=[*items(), "heating"])
def item(request: pytest.FixtureRequest, tmp_path: Path) -> Item:
    return items()[request.param] if request.param in items() else heating(tmp_path)


def test_an_item_says_what_it_is_in_both_languages_and_what_it_stands_on(item: Item) -> None:
    assert set(item.texts) == {"zh-CN", "en"}
    assert re.search(r"[\u4e00-\u9fff]", item.texts["zh-CN"].name)
    assert not re.search(r"[\u4e00-\u9fff]", item.texts["en"].name + item.texts["en"].summary)
    assert len(item.texts["zh-CN"].materials) == len(item.texts["en"].materials)
    assert all(law.zh and law.en and law.number for law in item.law)


def test_an_items_numbers_are_recognised_by_their_form(item: Item) -> None:
    assert re.fullmatch(item.filled.account, f"{item.filled.account[0]}000000000")
    assert not re.fullmatch(item.filled.account, "12a")
    forms = [other.filled.account for other in items().values() if other.code != item.code]
    assert item.filled.account not in forms


def test_an_items_tariff_keeps_to_its_law_and_the_law_says_no_to_something(item: Item) -> None:
    assert all(item.filled.lawful(terms) for terms in item.filled.tariff)
    flat = Terms(start=dt.date(2020, 1, 1), tiers=(Tier(1, 1), Tier(2, 1), Tier(None, 1)))
    assert not item.filled.lawful(flat)


def test_an_item_is_bound_billed_explained_and_paid(hall: Hall, item: Item) -> None:
    if item.code not in hall.lines:
        companies = {**hall.office.companies, f"990100-{item.code}": Company(f"990100-{item.code}", item.filled.unit, item.filled.tariff)}
        object.__setattr__(hall.office, "companies", companies)
        lines, made = offers_of(hall.office, {**items(), item.code: item})
        hall.lines.update(lines)
        catalogue.configure(made)
    account = hall.customer(item.code, first=item.filled.account[0])
    wang = hall.town.holder(90_000)
    bill = hall.bill(wang, hall.bound(wang, item.code, account=account))
    assert bill.agrees
    assert bill.facts["unit"] == item.filled.unit
    assert all(item.texts["zh-CN"].unit in line["text"]["zh_cn"] and item.texts["en"].unit in line["text"]["en"] for line in bill.lines)
    paid = hall.pay(wang, bill)
    assert (paid.state, paid.item) == ("paid", item.code)
    with db.transaction():
        assert item.code in {each.item.code for each, on in catalogue.offers_of(wang.city_id) if on}


def test_the_tutorials_city_file_is_one(tmp_path: Path) -> None:
    written = tomllib.loads(blocks()["config/cities/yunchuan/items.toml"])["item"][0]
    offered = msgspec.convert(written, OfferedItem)
    assert all(heating(tmp_path).filled.lawful(terms) for terms in tariff_of(offered))


@pytest.mark.parametrize("city", cities.load_all(), ids=lambda city: city.slug)
def test_what_a_city_offers_exists_and_its_tariffs_keep_to_the_law(city: cities.City) -> None:
    for offered in city.items:
        item = items()[offered.code]
        assert all(item.filled.lawful(terms) for terms in tariff_of(offered))


def test_a_tariff_that_breaks_its_law_stops_the_start() -> None:
    water = items()["water"]
    cheap = Terms(start=dt.date(2026, 1, 1), tiers=(Tier(180, 28_500), Tier(300, 30_000), Tier(None, 31_000)))
    line: Line = Line(OfficeUtility(office=None, company="x"))  # type: ignore[arg-type]  # never asked
    with pytest.raises(ValueError, match="breaks its law from 2026-01-01"):
        catalogue.configure([catalogue.Offer(city_id=1, item=water, company="x", zh="x", en="x", gateway=line, tariff=(cheap,))])
    catalogue.configure([])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "water.py").unlink(), "without a declaration"),
        (lambda folder: (folder / "water.py").write_text("ITEM = None"), "declares no ITEM"),
        (lambda folder: (folder / "water.py").write_text((folder / "water.py").read_text() + "#\n" * 60), "longer than"),
        (lambda folder: (folder / "water.toml").write_text("[en]\nname = 'x'"), "needs exactly zh-CN and en"),
        (lambda folder: _replace(folder / "water.toml", 'summary = "See', 'sumary = "See'), "needs exactly account_help"),
        (lambda folder: _replace(folder / "water.py", "Tier(300, 42_750)", "Tier(300, 30_000)"), "keeps to its law"),
    ],
)
def test_a_faulty_item_is_a_refusal_to_start(tmp_path: Path, spoil: Callable[[Path], object], why: str) -> None:
    for name in ("water.py", "water.toml"):
        (tmp_path / name).write_text((ITEMS / name).read_text())
    assert read(tmp_path)["water"].texts["en"].name == "Water bill"
    spoil(tmp_path)
    with pytest.raises(ItemFaulty, match=why):
        read(tmp_path)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
