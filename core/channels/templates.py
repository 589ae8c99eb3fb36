"""The texts of all short messages, by code. Providers approve texts in advance, so nothing is ever sent that is not here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

LONGEST_VALUE = 40
"""Characters; providers cut or refuse longer ones, and a value must not be able to become a message of its own."""

_PLACE = re.compile(r"\{([a-z]+)\}")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f<>【】]{1,40}")
_LINK = re.compile(r"https?://|www\.|[a-z0-9-]+\.(?:com|cn|net|org|top|xyz)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Template:
    """One message in both languages; `secret` ones are never kept in a log or an inbox."""

    zh: str
    en: str
    secret: bool = False
    values: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Both languages say the same things."""
        names = frozenset(_PLACE.findall(self.zh))
        if names != frozenset(_PLACE.findall(self.en)):
            raise ValueError("a template names the same values in both languages")
        object.__setattr__(self, "values", names)


TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        "sign_in_code": Template(
            "登录验证码{code}，{minutes}分钟内有效。工作人员不会向您索要，请勿告诉任何人。",
            "Your sign-in code is {code}, valid for {minutes} minutes. Nobody from us will ask for it; tell no one.",
            secret=True,
        ),
        "new_device": Template(
            "您的市民卡账号于{time}在新设备“{device}”上登录。如非本人操作，请立即登录并移除该设备。",
            "Your city card account was signed in at {time} on a new device, {device}. If it was not you, sign in and remove it.",
        ),
        "passkey_added": Template(
            "您的市民卡账号于{time}新增通行密钥“{device}”。如非本人操作，请立即登录并移除，或到柜台办理。",
            "A passkey, {device}, was added to your city card account at {time}. If it was not you, sign in and remove it.",
        ),
        "passkey_removed": Template(
            "您的市民卡账号于{time}移除了通行密钥“{device}”。如非本人操作，请立即登录查看，或到柜台办理。",
            "The passkey {device} was removed from your city card account at {time}. If it was not you, sign in or go to a counter.",
        ),
        "passkey_stopped": Template(
            "您的通行密钥“{device}”疑似被复制，已于{time}停用。请用其他方式登录后移除陌生设备，或到柜台办理。",
            "Your passkey {device} may have been copied and was stopped at {time}. Sign in another way and remove unknown devices.",
        ),
        "card_lost": Template(
            "尾号{tail}的市民卡已于{time}挂失，此后的消费将被拒绝。找回后可在应用中解除挂失。",
            "Your city card ending in {tail} was reported lost at {time}; it can no longer pay. Take the report back in the app.",
        ),
        "card_found": Template(
            "尾号{tail}的市民卡已于{time}解除挂失，恢复使用。如非本人操作，请立即再次挂失。",
            "The loss report on your city card ending in {tail} was taken back at {time}. If it was not you, report it lost again.",
        ),
        "card_loss_lapsed": Template(
            "尾号{tail}的市民卡临时挂失已于{time}到期，恢复使用。如尚未找回，请立即再次挂失。",
            "The temporary loss report on your city card ending in {tail} ran out at {time}. If it is not found, report it lost again.",
        ),
        "card_issued": Template(
            "您的市民卡（尾号{tail}）已开通，可在应用中出示使用。",
            "Your city card ending in {tail} has been issued; you can show it in the app.",
        ),
        "topped_up": Template(
            "您的市民卡钱包已充值{amount}元，余额{balance}元。",
            "CNY {amount} was added to your city card wallet; the balance is CNY {balance}.",
        ),
        "charged": Template(
            "您于{time}在{merchant}消费{amount}元，余额{balance}元。",
            "You paid CNY {amount} at {merchant} at {time}; the balance is CNY {balance}.",
        ),
        "refunded": Template(
            "{merchant}已退款{amount}元到您的市民卡钱包，余额{balance}元。",
            "{merchant} returned CNY {amount} to your city card wallet; the balance is CNY {balance}.",
        ),
        "notice": Template(
            "您有一条新的办事消息：{title}。请在市民卡应用中查看。",
            "You have a new message: {title}. Please read it in the city card app.",
        ),
    }
)


def checked(code: str, values: Mapping[str, str]) -> dict[str, str]:
    """The values of a template, exactly those it names, each a short plain piece of text without a link."""
    template = TEMPLATES[code]
    if frozenset(values) != template.values:
        raise ValueError(f"template {code} wants {sorted(template.values)}")
    for name, value in values.items():
        if not _PLAIN.fullmatch(value) or _LINK.search(value):
            raise ValueError(f"template {code}: the value of {name} is not a short plain text")
    return dict(values)


def render(code: str, language: str, values: Mapping[str, str], *, signature: str) -> str:
    """The whole text as the resident reads it, the sender's registered signature first."""
    template = TEMPLATES[code]
    text = template.zh if language == "zh-CN" else template.en
    return f"【{signature}】{text.format_map(checked(code, values))}"
