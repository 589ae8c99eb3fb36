"""What each floor is handed at the start: its cities, its ways to the outside, and the functions of the floors above (D20).

Which implementation stands behind an interface is chosen by settings. A sandbox refuses to stand in production by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import auth
import cards
import payments
from auth.verification.police import HttpPoliceRegister
from config import cities
from config.settings import Fault, Settings, SettingsRefused
from core.channels import MessagesUnknown, SandboxSms, SmsSender, vendor
from core.gateway import Gateway, PeerKeys, sandbox_gateway
from payments.providers import YunPay
from services import catalogue, exchange, notices, tariffs
from services.gateways.utilities import HttpUtility
from services.items import items


def connect(settings: Settings) -> None:
    """Hand every floor what it needs."""
    served = [cities.load(name) for name in settings.cities]
    default = next(city for city in served if settings.default_city in (city.facts.slug, str(city.id)))
    sender = sms(settings, signature=f"{default.facts.zh}市民卡")
    auth.install(
        issuer=settings.issuer,
        cities={city.id: city.facts.zh for city in served},
        default_city=default.id,
        sms=sender,
        police=HttpPoliceRegister(gateway(settings, "police")),
        above=auth.Above(
            merchant_account=payments.merchant_account,
            holds_money=payments.holds_money,
            before_close=(cards.cancel_all,),
        ),
    )
    cards.configure(
        prefixes={city.id: city.facts.pay_code_prefix for city in served},
        after_issue=(payments.open_wallet_for,),
        before_authorise=(payments.cover,),
        after_found=(payments.collect,),
    )
    payments.configure(
        providers={"yunpay": yunpay(settings)},
        keepers={city.id: payments.Keeper(city.facts.keeper.zh, city.facts.keeper.en) for city in served},
    )
    catalogue.configure(each for city in served for each in offers(settings, city))
    notices.configure(sender)
    exchange.configure(exchange.Sender(loopback=settings.webhooks == "loopback"), source=settings.issuer)


def offers(settings: Settings, city: cities.City) -> Iterator[catalogue.Offer]:
    """What a city offers, each item with the way to its agency and the city's own tariff where it has one."""
    named = {agency.code: agency for agency in city.agencies}
    for offered in city.items:
        item, agency = items()[offered.code], named[offered.agency]
        yield catalogue.Offer(
            city_id=city.id,
            item=item,
            company=agency.code,
            zh=agency.zh,
            en=agency.en,
            gateway=HttpUtility(gateway(settings, offered.door), f"/{offered.door}/{agency.code}"),
            tariff=tariffs.of_city(item.filled.tariff, offered.tariff),
        )


def installation(settings: Settings) -> dict[str, Any]:
    """What a page must know before anybody signs in: which cities are served, under which name, and what is only played here."""
    served = [cities.load(name) for name in settings.cities]
    default = next(city for city in served if settings.default_city in (city.facts.slug, str(city.id)))
    return {
        "issuer": settings.issuer,
        "environment": settings.environment,
        "default_city": default.id,
        "cities": [{"id": city.id, "zh": city.facts.zh, "en": city.facts.en} for city in served],
        "sandboxes": list(settings.sandboxes),
        "sandbox_url": (settings.outside_public_url or settings.outside_url) if settings.sandboxes else None,
    }


def sms(settings: Settings, *, signature: str) -> SmsSender:
    """Who sends short messages; a vendor's account must know every message. SettingsRefused names those that it lacks."""
    account = settings.sms_account
    if settings.sms == "sandbox" or account is None:
        return SandboxSms(gateway(settings, "sms"), signature=signature, production=settings.production)
    key = account.key_id, account.key_secret
    try:
        return vendor(settings.sms, account.templates, key=key, app=account.app_id, signature=account.signature)
    except MessagesUnknown as lacking:
        said = ", ".join(f"{code} {language}" for code, language in lacking.messages)
        raise SettingsRefused([Fault("CITYCARD_SMS_ACCOUNT", f"缺少短信模板：{said}", f"lacks templates: {said}")]) from lacking
    except ModuleNotFoundError as lacking:
        raise SettingsRefused([Fault("CITYCARD_SMS", "需要安装附加组件 vendors", "needs the extra `vendors`")]) from lacking


def yunpay(settings: Settings) -> YunPay:
    """The payment provider."""
    keys = peer_keys(settings, "yunpay")
    notify = f"{settings.issuer}/api/callbacks/payments/yunpay"
    return YunPay(gateway=gateway(settings, "yunpay"), merchant="citycard", notify_url=notify, peer_keys=keys)


def gateway(settings: Settings, name: str) -> Gateway:
    """The door to one system that the process ``outside`` plays, with the sandbox's fault switch in its line."""
    return sandbox_gateway(name, outside_url=outside(settings), production=settings.production)


def peer_keys(settings: Settings, name: str) -> PeerKeys:
    """The public keys of one system at ``outside``."""
    return PeerKeys(f"{outside(settings)}/.well-known/jwks.json", prefix=f"{name}-")


def outside(settings: Settings) -> str:
    """Where the sandboxes answer; settings have made sure that it is named where a sandbox is chosen."""
    assert settings.outside_url is not None
    return settings.outside_url
