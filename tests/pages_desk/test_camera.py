"""A second browser whose camera films the code on a phone, scans it at the counter and charges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import segno
from PIL import Image
from playwright.sync_api import Playwright, expect

from command.story import walk
from tests.pages_desk.conftest import CHROMIUM, FLAGS, City, Desk, film

pytestmark = pytest.mark.full
CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


def screen(code: str, folder: Path) -> Path:
    """The phone's screen before the camera: the code as the resident's page draws it, on a grey table."""
    drawn, picture = folder / "code.png", folder / "screen.png"
    segno.make(code, error="m", micro=False).save(str(drawn), scale=8, border=4)
    table = Image.new("RGB", (640, 480), (120, 125, 118))
    table.paste(Image.open(drawn).convert("RGB").resize((300, 300), Image.Resampling.NEAREST), (170, 90))
    table.save(picture)
    return picture


def test_a_camera_that_films_the_phone_charges(make_desk: Callable[..., Desk], city: City, playwright: Playwright, tmp_path: Path) -> None:
    holder = city.holder()
    video = tmp_path / "camera.mjpeg"
    film(screen("810000000000000000", tmp_path), tmp_path)  # until the counter stands, so that the code is fresh
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *CAMERA, f"--use-file-for-fake-video-capture={video}"])
    try:
        desk = make_desk(browser, permissions=["camera"])
        desk.enrol()
        desk.page.locator("#amount").fill("8.80")
        film(screen(holder.phone.pay_code(), tmp_path), tmp_path)
        desk.page.keyboard.press("F3")
        desk.wait_for("done")
        expect(desk.page.locator('[data-test="receipt"]')).to_contain_text("8.80")
        assert walk.balance(holder) == walk.TOP_UP - 880
        desk.page.locator('[data-test="camera"]').click()
        expect(desk.page.locator("video")).to_have_count(0)
    finally:
        browser.close()


def test_without_a_camera_the_page_names_other_ways(desk: Desk) -> None:
    desk.page.keyboard.press("F3")
    expect(desk.page.locator('[data-test="camera-fault"]')).to_contain_text("请用扫码枪或手工输入")


def test_the_decoder_is_served_by_the_city_as_what_it_is(city: City) -> None:
    built = next((Path(__file__).parents[2] / "web/desk/dist/pages/assets").glob("*.wasm"))
    answer = city.stage.wire.send("GET", f"/desk/assets/{built.name}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/wasm")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
