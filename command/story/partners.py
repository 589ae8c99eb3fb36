"""A partner in the story: it proves itself by its key, sees what the resident consented to and no more, and is told when that ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from command.story.step import Step, must, word
from command.story.system import Ear, System
from command.story.wire import wait_for

if TYPE_CHECKING:
    from command.story.walk import Walk

SCOPES = ("presentation:verify", "resident:read", "webhooks:manage")
PURPOSE = "lending"


def partner_asks(walk: Walk) -> Step:
    """The library's program takes a token for its own key, hears of a consent, verifies a shown code and reads the consented fields."""
    library = walk.stage.system("library")
    given = library.sign_in(*SCOPES, now=walk.phone.now)
    stranger = verified(walk, library)
    must(stranger["subject"] is None, "without consent nobody is named", stranger)
    walk.ear = ear = Ear(library, "citycard.consent.granted", "citycard.consent.withdrawn")
    walk.ending.callback(ear.close)
    ear.ahead = walk.phone.ahead
    purpose = consented(walk, library)
    told = heard(ear, "citycard.consent.granted")
    shown = verified(walk, library)
    must(shown["subject"] == told["subject"], "the partner is told under the name by which it knows the resident", (shown, told))
    walk.subject = shown["subject"]
    read = library.do("GET", f"/api/partner/residents/{walk.subject}?purpose={PURPOSE}")["fields"]
    must(set(read) == set(purpose["fields"]), "it reads the consented fields and none besides", read)
    fields = "、".join(f"{name}={value}" for name, value in read.items())
    seen = (
        (f"图书馆系统凭自己的密钥取得令牌：{given['scope']}", f"the library's program has a token for its own key: {given['scope']}"),
        (
            f"未授权时核验付款码：{stranger['masked_name']}，不给出读者编号",
            f"a code verified before any consent: {stranger['masked_name']}, no name of its own",
        ),
        (f"居民授权：{purpose['zh']}", f"the resident consents: {purpose['en']}"),
        (
            f"收到推送 {told['type']}，签名核对无误",
            f"a webhook came, its signature verified: {told['type']}",
        ),
        (f"授权后核验付款码，按授权读取：{fields}", f"after it a code is verified, and read as consented: {fields.replace('、', ', ')}"),
    )
    return Step("合作方凭令牌核验并按授权读取", "A partner verifies a code and reads what was consented to", seen)


def consent_ends(walk: Walk) -> Step:
    """The resident sees each use and withdraws; the next read is refused, and the partner is told."""
    uses = [use for use in walk.phone.do("GET", "/api/me/data-uses")["items"] if use["by"] == "partner" and use["purpose"] == PURPOSE]
    must(len(uses) == 3, "every look of the partner is there for the resident to see", uses)
    walk.phone.do("DELETE", f"/api/me/consents/{walk.consent}")
    assert walk.ear is not None
    refused = walk.ear.system.ask("GET", f"/api/partner/residents/{walk.subject}?purpose={PURPOSE}")
    must(refused.code == "consent_missing", "the next read is refused", refused)
    told = heard(walk.ear, "citycard.consent.withdrawn")
    must(told["data"]["consent"] == walk.consent and not walk.ear.refused, "the partner is told by a genuine message", told)
    last = uses[0]
    seen = (
        (
            f"居民看到 {len(uses)} 次使用，最近一次：{last['by_name']} 读取 {'、'.join(last['fields'])}",
            f"the resident sees {len(uses)} uses, the last: {last['by_name']} read {', '.join(last['fields'])}",
        ),
        (f"撤回授权，再次读取：{word(refused, 'zh-CN')}", f"withdrawn; the next read: {word(refused, 'en')}"),
        (f"收到推送 {told['type']}，签名核对无误", f"a webhook came, its signature verified: {told['type']}"),
    )
    return Step("居民查看使用记录，撤回授权", "The resident sees the uses and withdraws", seen)


def verified(walk: Walk, library: System) -> dict[str, Any]:
    """A pay code shown at the library's counter."""
    found: dict[str, Any] = library.do("POST", "/api/partner/presentations", {"code": walk.phone.pay_code(), "purpose": PURPOSE})
    return found


def consented(walk: Walk, library: System) -> dict[str, Any]:
    """The resident reads what the library asks for and consents; returns the purpose as it was read."""
    offers = walk.phone.do("GET", "/api/me/consent-offers")["items"]
    offer = next(each for each in offers if each["partner"] == library.client_id)
    purpose: dict[str, Any] = next(each for each in offer["purposes"] if each["code"] == PURPOSE)
    wanted = {"partner": library.client_id, "purpose": PURPOSE, "text_version": purpose["text_version"]}
    walk.consent = walk.phone.do("POST", "/api/me/consents", wanted)["id"]
    return purpose


def heard(ear: Ear, event: str) -> dict[str, Any]:
    """The one message of a type, once it has come."""

    def look() -> dict[str, Any] | None:
        return next((each for each in ear.heard if each["type"] == event), None)

    return wait_for(look, what=f"the webhook {event}", seconds=30)
