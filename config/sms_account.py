"""An account with a vendor of text messages, from a TOML file that its owner alone may read.

The vendor fills a text that it approved beforehand, so the file names the vendor's id for each of our messages in each language::

    key_id = "…"                # Alibaba: AccessKey ID; Tencent: SecretId
    key_secret = "…"
    signature = "云川市民卡"      # as the vendor approved it
    app_id = "1400000000"       # Tencent alone: SmsSdkAppId

    [templates.sign_in_code]
    "zh-CN" = { id = "SMS_1" }
    en = { id = "SMS_2", order = ["code", "minutes"] }    # Tencent alone fills by place: which of our values stands where
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.reading import Unreadable, secret_file

_ACCOUNT = {"key_id", "key_secret", "signature"}


@dataclass(frozen=True, slots=True)
class SmsTemplate:
    """The vendor's id of one message in one language, and which of our values stands at which of its places."""

    id: str
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsAccount:
    """What a vendor knows us by; `templates` by our code and language."""

    key_id: str
    key_secret: str
    signature: str
    app_id: str
    templates: Mapping[tuple[str, str], SmsTemplate]

    def __repr__(self) -> str:
        return f"SmsAccount(signature={self.signature!r}, templates={len(self.templates)})"  # keys are in no log


def sms_account(value: str) -> SmsAccount:
    """The account in the file of this absolute path."""
    path = Path(value)
    if not path.is_absolute():
        raise Unreadable(zh="应为绝对路径", en="must be an absolute path")
    try:
        given = tomllib.loads(secret_file(path))
    except tomllib.TOMLDecodeError:
        raise _wrong() from None
    templates = given.pop("templates", {})
    app_id = given.pop("app_id", "")
    if set(given) != _ACCOUNT or not all(isinstance(each, str) and each for each in given.values()) or not isinstance(app_id, str):
        raise _wrong()
    return SmsAccount(**given, app_id=app_id, templates=dict(_templates(templates)))


def _templates(given: Any) -> list[tuple[tuple[str, str], SmsTemplate]]:
    if not isinstance(given, dict) or not all(isinstance(each, dict) for each in given.values()):
        raise _wrong()
    return [((code, language), _template(said)) for code, languages in given.items() for language, said in languages.items()]


def _template(said: Any) -> SmsTemplate:
    if not isinstance(said, dict) or not isinstance(said.get("id"), str) or set(said) - {"id", "order"}:
        raise _wrong()
    order = said.get("order", [])
    if not isinstance(order, list) or not all(isinstance(each, str) for each in order):
        raise _wrong()
    return SmsTemplate(said["id"], tuple(order))


def _wrong() -> Unreadable:
    return Unreadable(
        zh="应为 TOML：key_id、key_secret、signature、[templates.*]（见 docs/settings.md）",
        en="must be TOML with key_id, key_secret, signature and [templates.*] (docs/settings.md)",
    )
