"""Alibaba Cloud SMS (Dysmsapi 2017-05-25); needs the extra `vendors`.

The vendor keeps the text under a template id of its own and fills it from a JSON object of our values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.channels.errors import ChannelRefused, ChannelUnavailable
from core.channels.messages import Message

_TRY_AGAIN = frozenset({"isp.SYSTEM_ERROR", "isp.RAM_PERMISSION_DENY", "isv.AMOUNT_NOT_ENOUGH", "Throttling", "ServiceUnavailable"})
_CONNECT_MS, _READ_MS = 2000, 4000


class AlibabaSms:
    """Sends through the vendor's own client; `template_ids` maps our code and language to the vendor's template id."""

    name = "alibaba"

    def __init__(
        self,
        *,
        key_id: str,
        key_secret: str,
        signature: str,
        template_ids: Mapping[tuple[str, str], str],
        endpoint: str = "dysmsapi.aliyuncs.com",
        protocol: str = "https",
    ) -> None:
        from alibabacloud_dysmsapi20170525.client import Client  # the extra may be absent, so only where it is used
        from alibabacloud_tea_openapi.models import Config

        config = Config(access_key_id=key_id, access_key_secret=key_secret, endpoint=endpoint, protocol=protocol)
        config.connect_timeout, config.read_timeout = _CONNECT_MS, _READ_MS
        self._client: Any = Client(config)
        self._signature, self._template_ids = signature, template_ids

    def send(self, message: Message) -> str:
        from alibabacloud_dysmsapi20170525.models import SendSmsRequest
        from Tea.exceptions import TeaException, UnretryableException

        request = SendSmsRequest(**request_of(message, self._signature, self._template_ids))
        try:
            said = self._client.send_sms(request).body
        except (TeaException, UnretryableException, OSError) as fault:
            raise ChannelUnavailable from fault
        if said.code == "OK":
            return str(said.biz_id)
        if said.code in _TRY_AGAIN:
            raise ChannelUnavailable
        raise ChannelRefused(reason=str(said.code))


def request_of(message: Message, signature: str, template_ids: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """The vendor's request; `out_id` is our reference, so that a receipt of delivery finds its message."""
    return {
        "phone_numbers": message.number,
        "sign_name": signature,
        "template_code": template_ids[message.template, message.language],
        "template_param": json.dumps(dict(message.values), ensure_ascii=False, separators=(",", ":")),
        "out_id": message.reference,
    }
