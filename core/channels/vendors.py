"""The vendors of text messages, by name: each is given its own ids of all our messages before it may send any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from core.channels.alibaba import AlibabaSms
from core.channels.messages import LANGUAGES, SmsSender
from core.channels.templates import TEMPLATES
from core.channels.tencent import TencentSms, TencentTemplate


class Known(Protocol):
    """A message as a vendor keeps it: its id there, and which of our values stands at which of its places, where places count."""

    @property
    def id(self) -> str:
        """The vendor's id."""

    @property
    def order(self) -> tuple[str, ...]:
        """Names of our values."""


class MessagesUnknown(ValueError):
    """Messages, by code and language, that the vendor's account lacks or fills in another order than we have values."""

    def __init__(self, messages: list[tuple[str, str]]) -> None:
        super().__init__(", ".join(f"{code} {language}" for code, language in messages))
        self.messages = messages


def vendor(name: str, templates: Mapping[tuple[str, str], Known], *, key: tuple[str, str], app: str, signature: str) -> SmsSender:
    """The sender of `alibaba` or `tencent`. Raises MessagesUnknown, and ModuleNotFoundError without the extra `vendors`."""
    by_place = name == "tencent"
    wanted = [(code, language) for code in TEMPLATES for language in LANGUAGES]
    if lacking := [each for each in wanted if not _fits(templates.get(each), each[0], by_place=by_place)]:
        raise MessagesUnknown(lacking)
    key_id, key_secret = key
    if by_place:
        filled = {each: TencentTemplate(templates[each].id, templates[each].order) for each in wanted}
        return TencentSms(secret_id=key_id, secret_key=key_secret, app_id=app, signature=signature, templates=filled)
    ids = {each: templates[each].id for each in wanted}
    return AlibabaSms(key_id=key_id, key_secret=key_secret, signature=signature, template_ids=ids)


def _fits(known: Known | None, code: str, *, by_place: bool) -> bool:
    if known is None or not known.id:
        return False
    return not by_place or (set(known.order) == TEMPLATES[code].values and len(known.order) == len(TEMPLATES[code].values))
