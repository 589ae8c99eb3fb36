"""What charging refuses, beside what the card floor refuses of codes and cards.

CityError
├── Invalid
│   └── OneOfTwo             a code, or a presentation, and not both
└── Conflict
    ├── PresentationUnknown   not one of this terminal's, or already forgotten
    ├── PresentationExpired   older than two minutes
    ├── WalletElsewhere       the card's money is not kept by this platform
    ├── WalletStopped         frozen or closed
    ├── LimitSingle, LimitCount, LimitDaily, LimitMonthly
    ├── AboveYourLimits       the same, told to the holder with what is left
    ├── MerchantUnknown       the terminal's merchant has no account in this city
    └── ChargeImpossible      not a movement of money at all
"""

from __future__ import annotations

import cards
from core.errors import CityError, Conflict, InProgress, Invalid, KeyReused
from payments.ledger import InsufficientFunds, OutcomeUnknown, PostingFull


class OneOfTwo(Invalid):
    code = "code_or_presentation"
    zh, en = "请提交付款码或出示编号，二者只选其一", "Send a code or a presentation, one of the two"


class PresentationUnknown(Conflict):
    code = "presentation_unknown"
    zh, en = "没有找到这次出示记录，请重新扫描付款码", "This presentation is not known here; please scan a new code"


class PresentationExpired(Conflict):
    code = "presentation_expired"
    zh, en = "出示已超过两分钟，请重新扫描付款码", "The code was presented more than two minutes ago; please scan a new one"


class WalletElsewhere(Conflict):
    code = "wallet_elsewhere"
    zh, en = "此卡的钱包不在本平台，请改用其他方式付款", "This card's money is not kept here; please pay in another way"


class WalletStopped(Conflict):
    code = "wallet_stopped"
    zh, en = "钱包当前不能付款，请持卡人到服务窗口办理", "The wallet cannot pay at present; its holder can ask at a counter"


class LimitSingle(Conflict):
    code = "limit_single"
    zh, en = "超过单笔限额，持卡人可在应用中调整", "Above the limit of one payment; the holder can change it in the app"


class LimitCount(Conflict):
    code = "limit_count"
    zh, en = "已达当日付款笔数上限，请明日再试或换一种付款方式", "No more payments today from this wallet; please pay in another way"


class LimitDaily(Conflict):
    code = "limit_daily"
    zh, en = "超过当日限额，持卡人可在应用中调整", "Above the limit of the day; the holder can change it in the app"


class LimitMonthly(Conflict):
    code = "limit_monthly"
    zh, en = "超过当月限额，持卡人可在应用中调整", "Above the limit of the month; the holder can change it in the app"


class AboveYourLimits(Conflict):
    code = "above_your_limits"
    zh = (
        "超过您的支付限额：单笔 {single_yuan} 元；今日还可付 {left_today_yuan} 元、{left_count} 笔，本月还可付 {left_month_yuan} 元。"
        "限额可在应用中调整"
    )
    en = (
        "Above your limits: CNY {single_yuan} at once; CNY {left_today_yuan} in {left_count} payments are left today, CNY {left_month_yuan}"
        " this month. You can change the limits in the app"
    )


class MerchantUnknown(Conflict):
    code = "merchant_unknown"
    zh, en = "终端所属商户没有可用账户，请联系管理员", "The merchant of this terminal has no account; please call the administrator"


class ChargeImpossible(Conflict):
    code = "charge_impossible"
    zh, en = "这笔扣款无法记账，请核对金额和商户", "This charge cannot be booked; please check amount and merchant"


OURS: tuple[type[CityError], ...] = (
    PresentationUnknown,
    PresentationExpired,
    WalletElsewhere,
    WalletStopped,
    LimitSingle,
    LimitCount,
    LimitDaily,
    LimitMonthly,
    InsufficientFunds,
    MerchantUnknown,
    ChargeImpossible,
)
CORES: tuple[type[CityError], ...] = (KeyReused, InProgress)
# By the code that charge_post answers with.
REFUSALS: dict[str, type[CityError]] = cards.REFUSALS | {kind.code: kind for kind in (*OURS, *CORES)}
# All that a charge can be refused with, for the API document.
ALL: tuple[type[CityError], ...] = (OneOfTwo, *cards.CODES, *cards.STOPPED, *OURS, OutcomeUnknown, PostingFull)
