"""What goes wrong on the way to another system, as the caller reads it."""

from __future__ import annotations

from core.errors import Unavailable


class GatewayUnavailable(Unavailable):
    """The other system was not reached; it has surely done nothing, or the call only asked a question."""

    code = "gateway_unavailable"
    zh = "对方系统（{gateway}）暂时无法连接，您的申请没有丢失，请稍后再试"
    en = "The other system ({gateway}) cannot be reached right now; nothing of yours is lost, please try again later"


class GatewayAnsweredWrong(Unavailable):
    """The other system answered something that its contract does not allow; nothing of it was used."""

    code, status = "gateway_answered_wrong", 502
    zh = "对方系统（{gateway}）的答复无法确认，请稍后再试；若一再出现请告知窗口"
    en = "The answer of the other system ({gateway}) could not be trusted; please try again later, and tell a counter if it stays so"
