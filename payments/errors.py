"""What the payments floor refuses; charging adds its own refusals beside these.

CityError
├── Invalid
│   ├── TopUpAmountRefused   not a multiple of the unit, too little or too much at once
│   ├── LimitsOutOfOrder     single above daily, or daily above monthly
│   └── TooManyDays          a journal of more than a month at once
├── NotFound
│   ├── WalletMissing        the resident has no wallet yet
│   └── ProviderUnknown      no such payment provider here
└── Conflict
    ├── WalletFull           the wallet would hold more than it may
    ├── WalletClosed         the wallet takes no money in this state
    ├── LimitTooHigh         above what the city's terms allow at all
    ├── StepForbidden        a thing cannot take this step from its state
    ├── ReversalTooLate      another day than that of the charge
    ├── ChargeUndone         reversed already, or partly refunded before a reversal
    ├── RefundTooMuch        more than is left of the charge
    ├── TopUpNotRefundable   not credited, or not paid through a provider
    ├── TopUpRefundTooMuch   more than is left of the top-up
    ├── MerchantShort        the merchant's account cannot give it back now
    └── NoticeMismatch       a paid order that does not fit what was ordered
"""

from __future__ import annotations

from core.errors import Conflict, Invalid, NotFound


class TopUpAmountRefused(Invalid):
    code = "top_up_amount_refused"
    zh = "充值金额须为 {unit_yuan} 元的整数倍，每次不少于 {least_yuan} 元、不超过 {most_yuan} 元"
    en = "A top-up is a whole multiple of CNY {unit_yuan}, at least CNY {least_yuan} and at most CNY {most_yuan}"


class LimitsOutOfOrder(Invalid):
    code = "limits_out_of_order"
    zh = "单笔限额不能高于日限额，日限额不能高于月限额"
    en = "The limit of one payment cannot exceed that of a day, nor that of a day the month's"


class ProviderUnknown(NotFound):
    code = "payment_provider_unknown"
    zh = "没有这个支付渠道，请从钱包页给出的渠道中选择"
    en = "There is no such payment provider; choose one that the wallet names"


class WalletMissing(NotFound):
    code = "wallet_missing"
    zh = "您还没有钱包，领取市民卡后自动开立"
    en = "You have no wallet yet; it opens with your first card"


class WalletFull(Conflict):
    code = "wallet_full"
    zh = "钱包余额上限为 {most_yuan} 元，目前最多还可充值 {room_yuan} 元"
    en = "A wallet holds at most CNY {most_yuan}; there is room for CNY {room_yuan} now"


class WalletClosed(Conflict):
    code = "wallet_closed"
    zh = "钱包当前不可充值，请到窗口办理"
    en = "The wallet takes no money in its present state; please visit a counter"


class LimitTooHigh(Conflict):
    code = "limit_too_high"
    zh = "限额超过规定上限（单笔 {single_yuan} 元，每日 {daily_yuan} 元，每月 {monthly_yuan} 元）"
    en = "Above the highest limits (one payment CNY {single_yuan}, a day CNY {daily_yuan}, a month CNY {monthly_yuan})"


class StepForbidden(Conflict):
    code = "step_forbidden"
    zh = "当前状态（{state}）不能执行该操作（{step}）"
    en = "This step ({step}) is not possible in the present state ({state})"


class ReversalTooLate(Conflict):
    code = "reversal_too_late"
    zh = "冲正须在交易当日办理，隔日请办理退款"
    en = "A charge is reversed on its own day; make a refund instead"


class ChargeUndone(Conflict):
    code = "charge_undone"
    zh = "该笔交易已冲正或已退款，不能再次撤销"
    en = "This charge was reversed or refunded already"


class RefundTooMuch(Conflict):
    code = "refund_too_much"
    zh = "退款金额超过可退余额，最多还可退 {left_yuan} 元"
    en = "More than is left to refund; at most CNY {left_yuan}"


class TopUpNotRefundable(Conflict):
    code = "top_up_not_refundable"
    zh = "这笔充值不能退回：须已到账、经支付机构支付，且钱包可用"
    en = "This top-up cannot be taken back: it must be credited, paid through a provider, and the wallet open"


class TopUpRefundTooMuch(Conflict):
    code = "top_up_refund_too_much"
    zh = "退回金额超过这笔充值的可退余额，最多还可退 {left_yuan} 元"
    en = "More than is left of this top-up; at most CNY {left_yuan}"


class MerchantShort(Conflict):
    code = "merchant_short"
    zh = "商户账户余额不足以退款，请稍后再试或联系结算人员"
    en = "The merchant's account cannot cover the refund now; try later or ask the settlement office"


class NoticeMismatch(Conflict):
    code = "top_up_mismatch"
    zh = "支付结果与订单不符，未入账，已转人工核查"
    en = "The payment does not fit the order; nothing was credited and people will look into it"


class TooManyDays(Invalid):
    code = "too_many_days"
    zh = "一次最多导出 {most} 天的分录，且结束日须晚于开始日"
    en = "At most {most} days at once, and the end after the beginning"
