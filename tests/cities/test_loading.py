"""A city is data: both demo cities load, and a broken one is told all its faults at once."""

import datetime as dt
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from config.cities import City, CityFaults, in_force, load, load_all, loading, read
from config.cities.drawing import draw

FOLDER = Path(loading.__file__).parent


@pytest.fixture(params=["yunchuan", "linhu"])
def city(request: pytest.FixtureRequest) -> City:
    return load(request.param)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER / "linhu", tmp_path / "linhu"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_city_is_found_by_number_and_by_slug() -> None:
    assert load(990100) is not None
    assert load(990100) == load("yunchuan")
    assert [each.slug for each in load_all()] == ["linhu", "yunchuan"]
    with pytest.raises(LookupError):
        load("atlantis")


def test_every_region_code_is_of_the_invented_range(city: City) -> None:
    assert all(each.code.startswith("99") for each in city.regions)


def test_every_community_has_eight_cells_of_fifteen_digits(city: City) -> None:
    assert set(Counter(each.code[:12] for each in city.cells).values()) == {8}
    assert {len(each.code) for each in city.cells} == {15}


def test_neighbouring_cells_share_their_corners_and_nothing_overlaps(city: City) -> None:
    edges = Counter(edge for cell in city.cells for edge in zip(cell.ring, cell.ring[1:], strict=False))
    assert set(edges.values()) == {1}
    inner = sum((end, start) in edges for start, end in edges)
    assert inner > len(edges) * 0.7


def test_the_committed_grid_is_what_the_tool_draws() -> None:
    for slug, wide, high in (("yunchuan", 12, 8), ("linhu", 8, 4)):
        facts = load(slug).facts
        drawn = draw(FOLDER / slug, (facts.longitude, facts.latitude), facts.seed, wide, high)
        assert json.loads(drawn) == json.loads((FOLDER / slug / "grid.geojson").read_text(encoding="utf-8"))


def test_the_terms_in_force_are_the_latest_not_after_the_day(city: City) -> None:
    wallets = city.products[0].wallets
    assert in_force(wallets, dt.date(2026, 6, 1)).balance_cap_fen == 500_000
    with pytest.raises(LookupError):
        in_force(wallets, dt.date(2025, 12, 31))


def test_all_faults_are_named_at_once(broken: Path) -> None:
    change(broken / "city.toml", "Asia/Shanghai", "Asia/Nowhere")
    change(broken / "places.toml", 'agency = "990200-civic"', 'agency = "990200-nobody"')
    change(broken / "places.toml", "10:00-21:00", "21:00-10:00")
    change(broken / "products.toml", "balance_cap_fen = 500000", "balance_cap_fen = 600000")
    change(broken / "merchants.toml", 'code = "L2"', 'code = "L1"')
    change(broken / "staff.toml", 'role = "counter_clerk"', 'role = "king"')
    change(broken / "cast.toml", 'sex = "f"', 'sex = "f"\ncolour = "red"')
    with pytest.raises(CityFaults) as caught:
        read(broken)
    told = "\n".join(caught.value.faults)
    for word in ("Asia/Nowhere", "990200-nobody", "21:00-10:00", "500000", "terminal L1", "king", "colour"):
        assert word in told
    assert len(caught.value.faults) == 7


def test_a_missing_file_is_a_fault_like_any_other(broken: Path) -> None:
    (broken / "grid.geojson").unlink()
    change(broken / "agencies.toml", 'kind = "transit"', 'sort = "transit"')
    with pytest.raises(CityFaults) as caught:
        read(broken)
    assert any("grid.geojson" in fault for fault in caught.value.faults)
    assert any("agencies.toml" in fault for fault in caught.value.faults)


def test_any_changed_byte_changes_the_fingerprint(broken: Path) -> None:
    before = read(broken).fingerprint
    change(broken / "city.toml", "seed = 19902", "seed = 19903")
    assert read(broken).fingerprint != before
