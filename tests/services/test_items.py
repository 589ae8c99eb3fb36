"""One contract for every item, those of the program and the one that the tutorial adds; and what makes a faulty one be refused."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from config import cities
from config.cities import utilities
from config.cities.offered import OfferedItem
from core import db
from services import catalogue, tariffs
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
    assert all(heating(tmp_path).filled.lawful(terms) for terms in tariffs.of_file(offered.tariff))


def test_the_tutorials_city_offers_it_and_the_sandbox_plays_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of the page in a copy of the city: it stands, and every household has an account of the form that the item says."""
    city = shutil.copytree(ITEMS.parents[1] / "config/cities/yunchuan", tmp_path / "yunchuan")
    for name in ("agencies.toml", "items.toml"):
        block, text = blocks()[f"config/cities/yunchuan/{name}"], (city / name).read_text()
        # Whoever has followed the page has it already.
        (city / name).write_text(text if block.strip() in text else f"{text}\n{block}")
    played = dict(utilities.PLAYED)
    exec(blocks()["config/cities/utilities.py"], {"PLAYED": played})
    monkeypatch.setattr(utilities, "PLAYED", played)
    monkeypatch.setattr(utilities, "DIGITS", {door: digit for door, (digit, *_) in played.items()})
    made = cities.read(city)
    known = [account for account in utilities.accounts(made) if account.item == "heating"]
    assert len(known) == len(utilities.owners(made)) > 1000
    form = heating(tmp_path).filled.account
    assert all(re.fullmatch(form, account.number) and account.company == "990100-heating" for account in known)
    used = [value for _, value in utilities.readings(known[0], dt.date(2026, 11, 22))]
    assert used == sorted(set(used))
    (offered,) = (each for each in made.items if each.code == "heating")
    tariff = tariffs.of_city(heating(tmp_path).filled.tariff, offered.tariff)
    held = [tariffs.in_force(tariff, dt.date(*day)).tiers[0].price_e4 for day in ((2025, 1, 1), (2026, 11, 14), (2026, 11, 15))]
    assert held == [1_800, 1_800, 1_900], "the declared tariff holds until the city's own begins"


@pytest.mark.parametrize("city", cities.load_all(), ids=lambda city: city.slug)
def test_what_a_city_offers_exists_and_its_tariffs_keep_to_the_law(city: cities.City) -> None:
    for offered in city.items:
        item = items()[offered.code]
        assert all(item.filled.lawful(terms) for terms in tariffs.of_file(offered.tariff))


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
