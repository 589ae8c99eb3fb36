"""Regions and cells of the two cities, in the database and over HTTP."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config.cities import load, load_all
from core import places
from core.db import transaction

pytestmark = pytest.mark.subset


def fill() -> None:
    for city in load_all():
        places.put_regions(city.id, [each.as_row() for each in city.regions])
        places.put_cells(city.id, [(each.code, each.ring) for each in city.cells])


@pytest.fixture
def filled(rollback: Flask) -> None:
    fill()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    with app.app_context(), transaction():
        fill()
    return app.test_client()


@pytest.mark.usefixtures("filled")
def test_the_middle_of_every_cell_is_found_in_it() -> None:
    for city in load_all():
        for cell in city.cells[::17]:
            found = places.cell_at(cell.centre)
            assert found is not None
            assert found.code == cell.code


@pytest.mark.usefixtures("filled")
def test_a_point_of_one_city_is_not_in_the_other() -> None:
    yunchuan, linhu = load("yunchuan"), load("linhu")
    assert places.cell_at(yunchuan.cells[0].centre, city_id=linhu.id) is None
    assert places.cell_at((0.0, 0.0)) is None


@pytest.mark.usefixtures("filled")
def test_writing_again_changes_nothing() -> None:
    fill()
    places.remember(990100, "places", "one")
    places.remember(990100, "places", "two")
    assert places.applied(990100, "places") == "two"
    assert places.applied(990200, "places") is None


def test_regions_are_listed_page_by_page_in_order_of_code(client: FlaskClient) -> None:
    seen, cursor = [], ""
    for _ in range(10):
        answer = client.get(f"/api/places/regions?city=990100&limit=20{cursor}").get_json()
        seen += [each["code"] for each in answer["items"]]
        if not answer["next_cursor"]:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert seen == sorted(each.code for each in load("yunchuan").regions)


def test_regions_are_found_by_level_and_by_parent(client: FlaskClient) -> None:
    districts = client.get("/api/places/regions?city=990100&level=district").get_json()["items"]
    assert [each["zh"] for each in districts] == ["晴岚区", "川南区", "望舒区", "松岭区"]
    streets = client.get("/api/places/regions?parent=990101").get_json()["items"]
    assert {each["level"] for each in streets} == {"street"}
    assert len(streets) == 3


def test_the_cell_around_a_point_is_found_over_http(client: FlaskClient) -> None:
    cell = load("yunchuan").cells[100]
    x, y = cell.centre
    answer = client.get(f"/api/places/cells?longitude={x}&latitude={y}").get_json()
    assert [each["code"] for each in answer["items"]] == [cell.code]
    assert answer["items"][0]["datum"] == "wgs84"
    assert answer["items"][0]["ring"] == [list(point) for point in cell.ring]


def test_borders_come_in_gcj02_where_asked(client: FlaskClient) -> None:
    answer = client.get("/api/places/cells?region=990101001001&datum=gcj02").get_json()
    first = load("yunchuan").cells[0]
    assert answer["items"][0]["ring"][0] == list(places.to_gcj02(first.ring[0]))
    assert len(answer["items"]) == 8


@pytest.mark.parametrize(
    "query", ["longitude=102.05", "longitude=east&latitude=1", "latitude=91&longitude=1", "region=99%25", "datum=bd09", "colour=red"]
)
def test_a_question_that_cannot_be_meant_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/places/cells?{query}")
    assert answer.status_code in (400, 422)
    assert answer.get_json()["messages"]["zh-CN"]
