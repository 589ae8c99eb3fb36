"""How each kind of notice reads, in both languages, and which of them also go out as a short message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import clock
from core.money import yuan
from core.vocabulary import Event


@dataclass(frozen=True, slots=True)
class Wording:
    """One kind: its title and text; ``sms`` names the short message's template where one is sent."""

    zh_title: str
    en_title: str
    zh: str
    en: str
    sms: str | None = None


# Only what protects the holder goes out by SMS at once; the rest waits in the app, which costs nothing and wakes nobody.
WORDINGS: Mapping[Event, Wording] = {
    Event.CARD_ISSUED: Wording(
        "市民卡已开通",
        "Your card is ready",
        "您的市民卡已开通，可在应用中出示使用。",
        "Your city card was issued; you can show it now.",
    ),
    Event.CARD_LOST: Wording(
        "市民卡已挂失",
        "Card reported lost",
        "您的市民卡已于{time}挂失，此后的消费将被拒绝。找回后可解除挂失。",
        "Your city card was reported lost at {time}; it can no longer pay. You can take the report back.",
        sms="card_lost",
    ),
    Event.CARD_FOUND: Wording(
        "挂失已解除",
        "Loss report taken back",
        "您的市民卡已于{time}解除挂失，恢复使用。如非本人操作，请立即再次挂失。",
        "The loss report was taken back at {time}. If it was not you, report the card lost again at once.",
        sms="card_found",
    ),
    Event.CARD_LOSS_LAPSED: Wording(
        "临时挂失已到期",
        "Your loss report has run out",
        "您的市民卡临时挂失已于{time}到期，卡已恢复使用。如尚未找回，请立即再次挂失，或到柜台办理正式挂失。",
        "Your temporary loss report ran out at {time} and your city card can be used again."
        " If you have not found it, report it lost again at once, or formally at a counter.",
        sms="card_loss_lapsed",
    ),
    Event.TOP_UP_CREDITED: Wording("充值到账", "Top-up received", "钱包充值{amount}元已到账。", "CNY {amount} was added to your wallet."),
    Event.TOP_UP_REFUNDED: Wording(
        "充值已退回",
        "Top-up returned",
        "{amount}元已退回您原来的付款方式。",
        "CNY {amount} went back to where you had paid from.",
    ),
    Event.TOP_UP_REFUND_VOIDED: Wording(
        "充值退回未成功",
        "Top-up not returned",
        "支付机构未能退回{amount}元，款项已回到钱包。",
        "The payment provider could not return CNY {amount}; the money is back in your wallet.",
    ),
    Event.CHARGE_POSTED: Wording("消费凭证", "Payment", "您于{time}消费{amount}元。", "You paid CNY {amount} at {time}."),
    Event.CHARGE_REVERSED: Wording(
        "消费已撤销",
        "Payment reversed",
        "{amount}元的消费已撤销，金额已退回钱包。",
        "A payment of CNY {amount} was reversed.",
    ),
    Event.CHARGE_REFUNDED: Wording(
        "退款到账",
        "Refund received",
        "退款{amount}元已退回钱包。",
        "CNY {amount} was returned to your wallet.",
    ),
    Event.OFFLINE_REPAID: Wording(
        "离线付款已补扣",
        "Offline payments paid back",
        "闸机离线期间的付款曾由城市垫付{amount}元，现已从您的钱包补扣。每一笔的商户、时间和金额见收支记录。",
        "The city had paid CNY {amount} for you at gates without network; it has now been taken from your wallet."
        " Your receipts name each payment.",
    ),
    Event.BILL_PAID: Wording(
        "账单已缴清",
        "Bill paid",
        "{amount}元的账单已由收费单位确认收款。",
        "The agency has confirmed your payment of CNY {amount}.",
    ),
    Event.BILL_VOIDED: Wording(
        "缴费未成功",
        "Bill not paid",
        "{amount}元的缴费未成功，款项已退回钱包。",
        "A bill of CNY {amount} could not be paid; the money is back in your wallet.",
    ),
    Event.BILL_GIVEN_BACK: Wording(
        "缴费已退回",
        "Bill payment returned",
        "经核对，{amount}元的缴费未到达收费单位，款项已退回钱包。",
        "The agency did not receive a payment of CNY {amount}; the money is back in your wallet.",
    ),
    Event.SIGNED_IN_ELSEWHERE: Wording(
        "新设备登录",
        "New device signed in",
        "您的账号于{time}在新设备“{device}”上登录。如非本人操作，请立即移除该设备。",
        "Your account was signed in at {time} on a new device, {device}. If it was not you, remove that device now.",
        sms="new_device",
    ),
    Event.PASSKEY_ADDED: Wording(
        "新增通行密钥",
        "Passkey added",
        "您的账号于{time}新增通行密钥“{device}”，今后可用它登录。如非本人操作，请立即移除。",
        "The passkey {device} was added to your account at {time} and can sign in from now on. If it was not you, remove it now.",
        sms="passkey_added",
    ),
    Event.PASSKEY_REMOVED: Wording(
        "通行密钥已移除",
        "Passkey removed",
        "通行密钥“{device}”已于{time}移除，由它打开的其他登录已退出。如非本人操作，请检查您的设备。",
        "The passkey {device} was removed at {time}; other sign-ins it opened have ended. If it was not you, check your devices.",
        sms="passkey_removed",
    ),
    Event.PASSKEY_STOPPED: Wording(
        "通行密钥已停用",
        "Passkey stopped",
        "通行密钥“{device}”的使用次数出现倒退，可能已被复制，已于{time}停用。请移除陌生设备，并登记新的通行密钥。",
        "The passkey {device} counted backwards and may have been copied; it was stopped at {time}. Remove unknown devices.",
        sms="passkey_stopped",
    ),
}


def worded(kind: str, facts: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Title and text of a notice by language."""
    wording, values = WORDINGS[Event(kind)], spoken(facts)
    return {
        "title": {"zh-CN": wording.zh_title, "en": wording.en_title},
        "text": {"zh-CN": wording.zh.format_map(values), "en": wording.en.format_map(values)},
    }


def spoken(facts: Mapping[str, Any]) -> dict[str, str]:
    """The facts of a notice as people read them: yuan, and the city's wall clock."""
    at = dt.datetime.fromisoformat(facts["at"]).astimezone(clock.CHINA)
    return {
        "time": at.strftime("%m-%d %H:%M"),
        "amount": yuan(int(facts.get("amount_fen") or 0)),
        "device": str(facts.get("device") or ""),
        "tail": str(facts.get("tail") or ""),
    }
