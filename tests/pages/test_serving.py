"""How the program hands out built pages: types, caching, strict headers, nothing outside the folder, and progress meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from core.web_serving import BuiltPages, Room

API = Response("the program itself", mimetype="text/plain")


@pytest.fixture
def web(tmp_path: Path) -> Client:
    """Pages in a folder, beside something that must not be served."""
    built = tmp_path / "resident"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>card</title>", encoding="utf-8")
    (built / "assets" / "code.abc123.js").write_text("1;" * 400, encoding="utf-8")
    (built / "assets" / "code.abc123.js.gz").write_bytes(b"zipped")
    (built / "reader.wasm").write_bytes(b"\0asm")
    (built / ".made-from").write_text("secret", encoding="ascii")
    (tmp_path / "root.key").write_text("secret", encoding="ascii")
    rooms = (Room("app", built), Room("desk", tmp_path / "desk", camera=True, wasm=True))
    return Client(BuiltPages(API, rooms, start="app", progress=tmp_path / "pages.json"))


def test_types_and_caching(web: Client) -> None:
    page, script, wasm = web.get("/app/"), web.get("/app/assets/code.abc123.js"), web.get("/app/reader.wasm")
    assert page.content_type == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert script.content_type == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["Cache-Control"]
    assert wasm.content_type == "application/wasm"


def test_a_page_that_has_not_changed_is_not_sent_again(web: Client) -> None:
    tag = web.get("/app/").headers["ETag"]
    assert web.get("/app/", headers={"If-None-Match": tag}).status_code == 304


def test_a_compressed_copy_goes_to_whoever_takes_it(web: Client) -> None:
    zipped = web.get("/app/assets/code.abc123.js", headers={"Accept-Encoding": "br, gzip"})
    assert zipped.data == b"zipped"
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert web.get("/app/assets/code.abc123.js", headers={"Accept-Encoding": "gzip;q=0"}).data != b"zipped"


def test_pages_load_from_their_own_origin_alone(web: Client) -> None:
    resident, desk = web.get("/app/").headers, web.get("/desk/").headers
    assert "default-src 'none'; script-src 'self';" in resident["Content-Security-Policy"]
    assert "style-src 'self';" in resident["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in resident["Content-Security-Policy"]
    assert "camera=()" in resident["Permissions-Policy"]
    assert "'wasm-unsafe-eval'" in desk["Content-Security-Policy"]
    assert "camera=(self)" in desk["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/app/../root.key", "/app/%2e%2e/root.key", "/app//etc/passwd.txt", "/app/.made-from", "/app/none.js"])
def test_nothing_outside_the_folder_is_served(web: Client, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 404
    assert b"secret" not in answer.data


def test_a_place_inside_the_application_is_its_first_page(web: Client) -> None:
    assert b"card" in web.get("/app/anywhere/inside").data


def test_the_start_leads_to_the_app_and_the_rest_to_the_program(web: Client) -> None:
    assert web.get("/").headers["Location"] == "/app/"
    assert web.get("/app").headers["Location"] == "/app/"
    assert web.get("/application").data == b"the program itself"
    assert web.get("/api/cards").data == b"the program itself"
    assert web.post("/app/").status_code == 405


def test_while_pages_are_built_their_place_shows_how_far(web: Client, tmp_path: Path) -> None:
    nothing = web.get("/desk/")
    assert nothing.status_code == 503
    assert "make pages" in nothing.text
    (tmp_path / "pages.json").write_text(json.dumps({"share": 0.45, "zh": "柜台：编译", "en": "<counter>: compiling"}), encoding="utf-8")
    building = web.get("/desk/")
    assert 'value="0.45"' in building.text
    assert "&lt;counter&gt;: compiling" in building.text
    assert building.headers["Retry-After"] == "2"
