"""What becomes of a report of loss is told in the app and by text message, each end of it in its own words."""

from __future__ import annotations

import pytest

from core.channels.templates import render
from core.vocabulary import Event
from services.exchange.telling import TOLD, WANTED, Told
from services.notices.telling import _message
from services.notices.wording import worded

FACTS = {"at": "2026-11-22T04:00:00+00:00", "subject": "card_x", "tail": "0417"}


@pytest.mark.parametrize(
    ("event", "template", "words"),
    [
        (Event.CARD_LOST, "card_lost", "已于11-22 12:00挂失"),
        (Event.CARD_FOUND, "card_found", "已于11-22 12:00解除挂失"),
        (Event.CARD_LOSS_LAPSED, "card_loss_lapsed", "临时挂失已于11-22 12:00到期"),
    ],
)
def test_a_loss_is_told_of_on_every_way(event: Event, template: str, words: str) -> None:
    assert worded(str(event), FACTS)["text"]["zh-CN"]
    message = _message("notice_x", str(event), FACTS, "19900000001")
    assert message.template == template
    text = render(message.template, "zh-CN", message.values, signature="云川市民卡")
    assert words in text
    assert "0417" in text


def test_to_a_partner_a_lapsed_loss_is_a_card_found_once_on_the_list() -> None:
    assert TOLD[Event.CARD_LOSS_LAPSED] == TOLD[Event.CARD_FOUND] == Told.CARD_FOUND
    assert len(set(WANTED)) == len(WANTED)
