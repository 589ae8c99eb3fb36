"""What goes wrong when a message is handed to a provider."""

from __future__ import annotations

from core.errors import Conflict, Unavailable


class ChannelUnavailable(Unavailable):
    code = "channel_unavailable"
    zh, en = "短信暂时无法发送，请稍后再试", "Messages cannot be sent right now; please try again later"


class ChannelRefused(Conflict):
    """The provider will not send to this number: blocked, not in service, or over its own limit."""

    code = "channel_refused"
    zh = "短信无法发送到该号码（{reason}），请检查号码或换一种方式"
    en = "The message could not be sent to this number ({reason}); check the number or use another way"
