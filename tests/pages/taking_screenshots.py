"""`make screenshots`, the resident's app: every page in both languages and both versions, as small pictures in docs/screenshots."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from command.story.cast import Stage
from tests.pages.app_in_browser import App
from tests.pages.pictures import PICTURES, begin_anew, keep_small
from tests.pages.tour import walk

FOLDER = PICTURES / "resident"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_take(phone: Callable[..., App], stage: Stage, language: str, elder: bool) -> None:
    app = phone(language=language, elder=elder, scale=1)
    folder = FOLDER / f"{language}-{'elder' if elder else 'normal'}"
    begin_anew(folder)
    for number, name in enumerate(walk(app, stage, stage.stranger()), 1):
        # As high as the page is, so that the bar at the bottom lies where it does on a long screen.
        height = app.page.evaluate("Math.max(844, document.documentElement.scrollHeight)")
        app.page.set_viewport_size({"width": 390, "height": height})
        app.page.wait_for_timeout(300)
        keep_small(app.page.screenshot(), folder / f"{number:02}-{name}.png")
        app.page.set_viewport_size({"width": 390, "height": 844})
