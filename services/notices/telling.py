"""Turning facts into notices: written where the fact is heard, sent by a job after the commit (D19)."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

import auth
import cards
from core import clock, db, ids, jobs
from core.actors import system
from core.channels import ChannelRefused, Message, SmsSender
from core.outbox import Fact, listens
from core.paging import Page, page
from services.notices.models import NoticeRow
from services.notices.wording import WORDINGS, spoken

_sender: list[SmsSender] = []


def configure(sender: SmsSender) -> None:
    """Give the notices their way to a phone."""
    _sender[:] = [sender]


@listens(*WORDINGS)
def tell(fact: Fact) -> None:
    """Write the notice of a fact once, and want its short message where the kind has one."""
    resident_id = _resident(fact)
    if resident_id is None:
        return
    made = insert(NoticeRow).values(
        id=ids.new_id(),
        city_id=fact.city_id,
        resident_id=resident_id,
        fact_id=fact.id,
        kind=str(fact.event),
        facts=_facts(fact),
        created_at=clock.now(),
    )
    written = db.session().execute(made.on_conflict_do_nothing(index_elements=["fact_id"]).returning(NoticeRow.id)).scalar()
    if written is not None and WORDINGS[fact.event].sms:
        jobs.defer(send_sms, notice=str(written))


@jobs.job("notices:sms:send")
def send_sms(notice: str) -> None:
    """Send the short message of a notice; the provider knows repetitions by its reference."""
    with db.transaction() as session:
        row = session.get(NoticeRow, UUID(notice))
        if row is None or row.sms_sent_at is not None:
            return
        revealed = auth.reveal(system("notices", row.city_id), row.resident_id, purpose="notice", fields=("phone",))
        kind, facts = row.kind, dict(row.facts)
    if revealed.phone is None:
        return
    try:
        _sender[0].send(_message(notice, kind, facts, revealed.phone))
    except ChannelRefused:
        # The provider will never take this number; the notice stands in the app.
        return
    with db.transaction() as session:
        session.execute(text("UPDATE notice SET sms_sent_at = :now WHERE id = :id"), {"now": clock.now(), "id": UUID(notice)})


def notices_of(resident_id: UUID, *, cursor: str | None, limit: int) -> Page:
    """What a resident was told, newest first."""
    return page(select(NoticeRow).where(NoticeRow.resident_id == resident_id), NoticeRow.id, cursor=cursor, limit=limit)


def mark_read(resident_id: UUID, notice: UUID) -> NoticeRow | None:
    """Note that the resident has seen it; None when it is not theirs."""
    row = db.session().scalar(select(NoticeRow).where(NoticeRow.id == notice, NoticeRow.resident_id == resident_id).with_for_update())
    if row is not None and row.read_at is None:
        row.read_at = clock.now()
    return row


def _message(notice: str, kind: str, facts: dict[str, Any], phone: str) -> Message:
    wording = next(w for event, w in WORDINGS.items() if str(event) == kind)
    values = spoken(facts)
    template = wording.sms or ""
    wanted = ("tail", "time") if template in ("card_lost", "card_found", "card_loss_lapsed") else ("time", "device")
    # A device names itself: only what no phone network could read as an address goes into a message.
    safe = {name: re.sub(r"[^\w \-]", "", values[name])[:20] or "-" for name in wanted if name != "time"}
    return Message(number=phone, template=template, language="zh-CN", values={"time": values["time"], **safe}, reference=notice)


def _resident(fact: Fact) -> UUID | None:
    said = fact.payload.get("resident_id") or fact.payload.get("resident")
    if not isinstance(said, str):
        return None
    return ids.parse("resident", said) if said.startswith("resident_") else UUID(said)


def _facts(fact: Fact) -> dict[str, Any]:
    kept: dict[str, Any] = {"at": fact.occurred_at.isoformat(), "subject": fact.subject}
    if "amount_fen" in fact.payload:
        kept["amount_fen"] = fact.payload["amount_fen"]
    if "name" in fact.payload:
        kept["device"] = fact.payload["name"]
    if "card_id" in fact.payload:
        kept["tail"] = cards.card_of(system("notices", fact.city_id), UUID(fact.payload["card_id"])).number_tail
    return kept
