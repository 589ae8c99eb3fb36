"""A second browser whose camera films the page on a resident's phone, reads the code there, and charges."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, Response, expect

from command.story.app import App
from tests.pages_desk.conftest import FLAGS, City, Desk, chromium, film

pytestmark = pytest.mark.full
CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@pytest.fixture
def phone(browser: Browser, city: City) -> Iterator[Callable[..., App]]:
    """A resident's phone with a card that shows its code; faults of its page fail the test."""
    opened: list[App] = []

    def open_one(**options: Any) -> App:
        _, person = city.newcomer()
        opened.append(App(browser, city.stage, **options))
        opened[-1].with_card(person)
        return opened[-1]

    yield open_one
    faults = [fault for app in opened for fault in app.faults]
    for app in opened:
        app.close()
    assert not faults


@pytest.fixture
def filming(make_desk: Callable[..., Desk], playwright: Playwright, tmp_path: Path) -> Iterator[Desk]:
    """A counter of its own browser, whose camera shows what `film` puts into this test's folder."""
    video = tmp_path / "camera.mjpeg"
    browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *CAMERA, f"--use-file-for-fake-video-capture={video}"])
    try:
        yield make_desk(browser, permissions=["camera"])
    finally:
        browser.close()


def hear_charges(app: App) -> list[dict[str, Any]]:
    """The receipts that the city tells the phone's page from now on."""
    heard: list[dict[str, Any]] = []

    def hear(answer: Response) -> None:
        if "/api/receipts" in answer.url and answer.status == 200:
            heard.extend(answer.json()["items"])

    app.page.on("response", hear)
    return heard


def top_up(app: App) -> None:
    """Thirty yuan, through the played provider, and back to the code."""
    app.press("首页" if app.language == "zh-CN" else "Home")
    app.press("充值" if app.language == "zh-CN" else "Top up")
    app.fill("金额（元）" if app.language == "zh-CN" else "Amount (CNY)", "30")
    app.page.locator(".button.main.wide").locator("visible=true").first.click()
    app.page.get_by_role("button", name="确认付款").click()
    app.page.get_by_role("link", name="回到应用").click()
    app.sees("充值成功" if app.language == "zh-CN" else "was added to your wallet")
    app.press("完成" if app.language == "zh-CN" else "Done")
    app.press("付款码" if app.language == "zh-CN" else "Pay code", exact=True)
    app.code()


def filmed(app: App, folder: Path) -> set[str]:
    """Puts the phone before the camera; the codes it showed meanwhile: two where a half minute ended."""
    before = app.code()
    film(app.page, folder)
    return {before, app.code()}


@pytest.mark.parametrize(("language", "elder"), [("zh-CN", False), ("en", True)], ids=["zh-CN", "en-elder"])
def test_a_camera_that_films_the_phone_charges(
    phone: Callable[..., App], filming: Desk, tmp_path: Path, language: str, elder: bool
) -> None:
    app, desk = phone(language=language, elder=elder), filming
    top_up(app)
    desk.enrol()
    desk.page.locator("#amount").fill("8.80")
    heard = hear_charges(app)
    shown = filmed(app, tmp_path)
    with desk.page.expect_response("**/api/charges") as answered:
        desk.page.keyboard.press("F3")
    sent, charge = json.loads(answered.value.request.post_data or ""), answered.value.json()
    assert sent["code"] in shown
    desk.wait_for("done")
    expect(desk.page.locator('[data-test="receipt"]')).to_contain_text(charge["receipt_number"])
    app.sees("已付 8.80 元" if language == "zh-CN" else "Paid CNY 8.80")
    assert (charge["receipt_number"], -880) in {(receipt["number"], receipt["change_fen"]) for receipt in heard}
    app.press("首页" if language == "zh-CN" else "Home")
    app.sees("21.20")
    desk.page.locator('[data-test="camera"]').click()
    expect(desk.page.locator("video")).to_have_count(0)


def test_a_phone_without_network_starts_anew_and_its_code_is_filmed_and_charged(
    phone: Callable[..., App], filming: Desk, tmp_path: Path
) -> None:
    app, desk = phone(), filming
    top_up(app)
    desk.enrol()
    desk.page.locator("#amount").fill("1.10")
    before = app.code()
    app.ready_for_no_network()
    app.context.set_offline(True)
    app.page.reload()
    app.sees("没有网络。付款码照常可用")
    app.another_code(than=before)
    shown = filmed(app, tmp_path)
    with desk.page.expect_response("**/api/charges") as answered:
        desk.page.keyboard.press("F3")
    assert json.loads(answered.value.request.post_data or "")["code"] in shown - {before}
    desk.wait_for("done")
    app.context.set_offline(False)
    app.press("首页")
    app.press("收支记录")
    app.sees(f"{answered.value.json()['receipt_number']}")


def test_a_loss_reported_on_the_phone_is_refused_at_the_counter_at_once(phone: Callable[..., App], desk: Desk) -> None:
    """The first scan after the report is refused; how long it took is told, not judged (D16, D28)."""
    app = phone()
    top_up(app)
    code = app.code()
    desk.page.locator("#amount").fill("2")
    app.press("首页")
    app.press("挂失")
    app.press("挂失这张卡")
    with app.page.expect_response("**/loss") as reported:
        app.press("确定，立即挂失")
    assert reported.value.ok
    desk.page.evaluate("performance.mark('scan')")
    desk.scan(code)
    desk.wait_for("refused")
    expect(desk.page.locator('[data-test="words"]')).to_have_text("卡已挂失，不能使用；持卡人可在应用中撤销挂失")
    told = reported.value.request.timing
    waited = desk.page.evaluate("performance.timeOrigin + performance.now()") - (told["startTime"] + told["responseEnd"])
    print(f"\nloss on the phone, refused at the counter {waited:.0f} ms after the city's answer, the scanner's typing included")  # noqa: T201  # the measured figure is the point
    app.sees("已挂失。从现在起不能付款。")


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
