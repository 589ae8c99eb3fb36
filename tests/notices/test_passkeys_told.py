"""What becomes of a passkey is told in words and by text message, whatever its holder called it."""

from __future__ import annotations

import pytest

from core.channels.templates import render
from core.vocabulary import Event
from services.notices.telling import _message
from services.notices.wording import WORDINGS, worded

PASSKEYS = (Event.PASSKEY_ADDED, Event.PASSKEY_REMOVED, Event.PASSKEY_STOPPED)


@pytest.mark.parametrize("event", PASSKEYS)
@pytest.mark.parametrize("name", ["我的手机", "call www.evil.example now", "【银行】", "k" * 60, "🔑"])
def test_a_passkey_is_told_of_on_every_way(event: Event, name: str) -> None:
    facts = {"at": "2026-11-22T04:00:00+00:00", "subject": "resident_x", "device": name}
    said = worded(str(event), facts)
    assert name in said["text"]["zh-CN"]
    assert name in said["text"]["en"]
    message = _message("notice_x", str(event), facts, "19900000001")
    assert WORDINGS[event].sms == message.template
    text = render(message.template, "zh-CN", message.values, signature="云川市民卡")
    assert "11-22 12:00" in text
    assert "www." not in text
