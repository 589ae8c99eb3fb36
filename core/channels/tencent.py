"""Tencent Cloud SMS (2021-01-11); needs the extra `vendors`.

The vendor fills its template by position, so each template id comes with the order of our values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.channels.errors import ChannelRefused, ChannelUnavailable
from core.channels.messages import Message

_SECONDS = 4
_TRY_AGAIN = ("InternalError", "FailedOperation.InsufficientBalanceInSmsPackage", "LimitExceeded.DeliveryFrequencyLimit")


@dataclass(frozen=True, slots=True)
class TencentTemplate:
    """The vendor's template id and which of our values stands at which of its places."""

    id: str
    order: tuple[str, ...]


class TencentSms:
    """Sends through the vendor's own client; `templates` maps our code and language to the vendor's template."""

    name = "tencent"

    def __init__(
        self,
        *,
        secret_id: str,
        secret_key: str,
        app_id: str,
        signature: str,
        templates: Mapping[tuple[str, str], TencentTemplate],
        region: str = "ap-guangzhou",
        endpoint: str = "sms.tencentcloudapi.com",
        protocol: str = "https",
    ) -> None:
        from tencentcloud.common.credential import Credential  # the extra may be absent, so only where it is used
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile
        from tencentcloud.sms.v20210111.sms_client import SmsClient

        http = HttpProfile(protocol=protocol, endpoint=endpoint, reqTimeout=_SECONDS)
        self._client: Any = SmsClient(Credential(secret_id, secret_key), region, ClientProfile(httpProfile=http))
        self._app_id, self._signature, self._templates = app_id, signature, templates

    def send(self, message: Message) -> str:
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
        from tencentcloud.sms.v20210111.models import SendSmsRequest

        request = SendSmsRequest()
        request._deserialize(request_of(message, self._app_id, self._signature, self._templates))
        try:
            said = self._client.SendSms(request).SendStatusSet[0]
        except (TencentCloudSDKException, OSError) as fault:
            raise ChannelUnavailable from fault
        if said.Code == "Ok":
            return str(said.SerialNo)
        if str(said.Code).startswith(_TRY_AGAIN):
            raise ChannelUnavailable
        raise ChannelRefused(reason=str(said.Code))


def request_of(message: Message, app_id: str, signature: str, templates: Mapping[tuple[str, str], TencentTemplate]) -> dict[str, Any]:
    """The vendor's request; `SessionContext` is our reference, so that a receipt of delivery finds its message."""
    template = templates[message.template, message.language]
    return {
        "PhoneNumberSet": [f"+86{message.number}"],
        "SmsSdkAppId": app_id,
        "SignName": signature,
        "TemplateId": template.id,
        "TemplateParamSet": [message.values[name] for name in template.order],
        "SessionContext": message.reference,
    }
