"""The texts of the first start, as a resident reads, agrees and takes back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from command.story.cast import Stage
from tests.pages.app_in_browser import App

pytestmark = pytest.mark.full
VERSION = "2026-\u206011-\u206001"  # pages keep a date on one line


def test_what_was_agreed_to_can_be_read_and_taken_back(phone: Callable[..., App], stage: Stage) -> None:
    app = phone()
    app.agree()
    app.sign_in(stage.stranger())
    app.press("我的")
    app.press("我的同意")
    app.sees(VERSION)
    app.press("查看当时的文本")
    app.sees(f"版本 {VERSION}")
    app.press("返回")
    app.press("撤回同意")
    app.press("确定撤回")
    app.sees("协议或隐私政策有了新版本，请阅读后决定。")
    app.press("同意并继续")
    app.shown("navigation", re.compile("")).wait_for()
