"""`make screenshots`: every page in both languages and both versions, as small pictures in docs/screenshots."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from command.story.cast import Stage
from tests.pages.app_in_browser import App, newcomer
from tests.pages.tour import walk

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots" / "resident"
COLOURS = 64


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_take(phone: Callable[..., App], stage: Stage, language: str, elder: bool) -> None:
    app = phone(language=language, elder=elder, scale=1)
    folder = FOLDER / f"{language}-{'elder' if elder else 'normal'}"
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(walk(app, stage, newcomer(stage)), 1):
        # As high as the page is, so that the bar at the bottom lies where it does on a long screen.
        height = app.page.evaluate("Math.max(844, document.documentElement.scrollHeight)")
        app.page.set_viewport_size({"width": 390, "height": height})
        app.page.wait_for_timeout(300)
        picture = Image.open(io.BytesIO(app.page.screenshot()))
        app.page.set_viewport_size({"width": 390, "height": 844})
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(folder / f"{number:02}-{name}.png", optimize=True)
