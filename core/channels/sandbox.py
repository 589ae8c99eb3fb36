"""The sandbox sender: the message appears on the phone page of the `outside` process and nowhere else."""

from __future__ import annotations

from marshmallow import Schema, fields

from core.channels.errors import ChannelRefused, ChannelUnavailable
from core.channels.messages import Message
from core.channels.templates import TEMPLATES, render
from core.gateway import Answered, Call, Gateway, Refused


class _Accepted(Schema):
    message = fields.String(required=True)


class SandboxSms:
    """Posts to the phone page over the signed gateway; refuses to exist in production."""

    name = "sandbox"

    def __init__(self, gateway: Gateway, *, signature: str, production: bool) -> None:
        if production:
            raise ValueError("the sandbox SMS sender refuses to run in production: choose a provider")
        self._gateway, self._signature = gateway, signature

    def send(self, message: Message) -> str:
        body = {
            "number": message.number,
            "text": render(message.template, message.language, message.values, signature=self._signature),
            "template": message.template,
            "values": dict(message.values) if TEMPLATES[message.template].secret else {},
            "reference": message.reference,
        }
        call = Call(
            operation="send_sms",
            method="POST",
            path="/sms/messages",
            gives=_Accepted,
            body=body,
            idempotency_key=message.reference,
        )
        outcome = self._gateway.send(call)
        if isinstance(outcome, Answered):
            return str(outcome.body["message"])
        if isinstance(outcome, Refused):
            raise ChannelRefused(reason=outcome.code)
        raise ChannelUnavailable
