"""Ways to reach a resident: short messages through a provider chosen by settings; the sandbox is one of them."""

from core.channels.errors import ChannelRefused, ChannelUnavailable
from core.channels.messages import Message, SmsSender
from core.channels.sandbox import SandboxSms
from core.channels.templates import TEMPLATES, Template, render
from core.channels.vendors import MessagesUnknown, vendor

__all__ = [
    "TEMPLATES",
    "ChannelRefused",
    "ChannelUnavailable",
    "Message",
    "MessagesUnknown",
    "SandboxSms",
    "SmsSender",
    "Template",
    "render",
    "vendor",
]
