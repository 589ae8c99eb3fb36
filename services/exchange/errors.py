"""What the exchange with partners refuses.

CityError
├── Conflict
│   ├── EndpointTaken     the partner has an endpoint at this address already
│   └── TooManyEndpoints  as many endpoints as one partner may have
└── Invalid
    └── DestinationInvalid  an address to which nothing is ever sent
"""

from __future__ import annotations

from core.errors import Conflict, Invalid


class EndpointTaken(Conflict):
    code = "webhook_endpoint_taken"
    zh, en = "该地址已登记，请先删除原登记", "This address is registered already; delete that registration first"


class TooManyEndpoints(Conflict):
    code = "too_many_webhook_endpoints"
    zh, en = "每个合作方最多登记 {most} 个推送地址，请先删除不用的", "A partner has at most {most} endpoints; delete one that is not used"


class DestinationInvalid(Invalid):
    code = "webhook_address_invalid"
    zh = "推送地址须为公网域名的 https 地址，端口 443 或 8443，不带账号和片段"
    en = "The address is https at a public host name, port 443 or 8443, without user and fragment"
