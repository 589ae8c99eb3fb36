"""Every page for everybody: WCAG 2.2 AA by axe-core, and areas large enough for a thumb."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from command.story.cast import Stage
from tests.pages.app_in_browser import App
from tests.pages.tour import walk

pytestmark = pytest.mark.full
TOUCH, ELDER_TOUCH = 44, 60  # MIIT 2021: 60 by 60 in the elder version; 44 by 44 elsewhere
ELDER_TEXT = 24.0  # 18 pt in CSS pixels


@pytest.mark.parametrize(("language", "elder", "dark"), [("zh-CN", False, False), ("en", True, False), ("zh-CN", True, True)])
def test_every_page_passes(phone: Callable[..., App], stage: Stage, axe: str, language: str, elder: bool, dark: bool) -> None:
    app = phone(language=language, elder=elder, dark=dark)
    found: dict[str, list[str]] = {}
    for name in walk(app, stage, stage.stranger()):
        small = app.small_touches(ELDER_TOUCH if elder else TOUCH)
        sideways = app.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[name] = [*app.faults_of_access(axe), *(f"small: {each}" for each in small), *(["wider than the screen"] if sideways else [])]
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_elder_version_writes_large(phone: Callable[..., App], stage: Stage) -> None:
    app = phone(elder=True)
    app.agree()
    app.shown("button", app.words["send"]).wait_for()
    sizes = app.page.evaluate(
        "[...document.querySelectorAll('p.text, .field-label, .button')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert sizes
    assert min(sizes) >= ELDER_TEXT
