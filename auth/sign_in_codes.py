"""One-time codes by text message (NIST SP 800-63B out-of-band): six digits, bound to the asking key and the number.

Whether a number has an account plays no part here: the same statements run and the same answers come for every number.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from auth import networks, rules
from auth.errors import CityUnknown, PhoneInvalid, SignInPaused, WrongCode
from auth.installing import parts
from auth.policy import DAY, HOUR
from core import clock, crypto, db, ids, limits
from core.channels import Message
from core.errors import Throttled

DIGITS = 6
# What the code of a person at a counter is bound to begins so; a key's thumbprint has no colon.
CLERK = "staff:"

_STORE = """
INSERT INTO sign_in_code AS held (city_id, phone_blind, binding, code_mac, tries, sent_at, expires_at)
VALUES (%(city)s, %(phone)s, %(binding)s, %(mac)s, 0, %(now)s, %(until)s)
ON CONFLICT (city_id, phone_blind, binding) DO UPDATE
SET code_mac = excluded.code_mac, tries = 0, sent_at = excluded.sent_at, expires_at = excluded.expires_at, used_at = NULL
WHERE held.sent_at <= %(gap)s
RETURNING 1
"""
# The try is counted by the statement that reads the code, and lasts whatever becomes of the request.
_TRY = """
UPDATE sign_in_code SET tries = tries + 1
WHERE city_id = %s AND phone_blind = %s AND binding = %s AND used_at IS NULL AND tries < %s AND expires_at > %s
RETURNING code_mac
"""
_USE = """
UPDATE sign_in_code SET used_at = %s
WHERE city_id = %s AND phone_blind = %s AND binding = %s AND used_at IS NULL AND code_mac = %s
"""
_KNOWN = """
SELECT EXISTS (SELECT FROM device d JOIN resident r ON r.id = d.resident_id
WHERE d.thumbprint = %s AND d.revoked_at IS NULL AND r.city_id = %s AND r.phone_blind = %s)
"""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants into which number: the key (or the clerk) a code is bound to, and the network it comes from."""

    city_id: int
    phone: str
    binding: str
    network: str
    known: bool

    @property
    def phone_blind(self) -> bytes:
        """By which the number is found without being stored."""
        return crypto.blind("phone", self.phone)

    @property
    def trusted(self) -> bool:
        """Whether it is a device of this number's resident, or a clerk with the person at the counter: no stranger shuts these out."""
        return self.known or self.binding.startswith(CLERK)

    @property
    def number_key(self) -> str:
        """The name of the number's counters: all strangers share one, and whoever is trusted has an allowance of their own."""
        shared = f"{self.city_id}:{self.phone_blind.hex()[:32]}"
        return f"{shared}:{self.binding}" if self.trusted else shared


def asker(*, city_id: int | None, phone: str, binding: str, address: str) -> Asker:
    """An asker with a valid number of a city that is served; PhoneInvalid and CityUnknown otherwise."""
    number = rules.phone_number(phone)
    if number is None:
        raise PhoneInvalid()
    city = parts().default_city if city_id is None else city_id
    if city not in parts().cities:
        raise CityUnknown()
    blind = crypto.blind("phone", number)
    row = db.connection().execute(_KNOWN, (binding, city, blind)).fetchone()
    return Asker(city, number, binding, networks.key(address), bool(row and row[0]))


def send(asked: Asker, *, language: str = "zh-CN") -> None:
    """Send a code; Throttled within the gap and beyond the limits, SignInPaused for new devices while the city is under attack."""
    policy = parts().policy
    _refuse_when_paused(asked)
    _count_send(asked)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    now = clock.now()
    values = {
        "city": asked.city_id,
        "phone": asked.phone_blind,
        "binding": asked.binding,
        "mac": _mac(asked, code),
        "now": now,
        "until": now + policy.code_lifetime,
        "gap": now - policy.resend_after,
    }
    if db.connection().execute(_STORE, values).fetchone() is None:
        raise Throttled(retry_after=int(policy.resend_after.total_seconds()))
    minutes = str(int(policy.code_lifetime.total_seconds()) // 60)
    message = Message(
        number=asked.phone,
        template="sign_in_code",
        language=language,
        values={"code": code, "minutes": minutes},
        reference=ids.show("sms", ids.new_id()),
    )
    parts().sms.send(message)


def check(asked: Asker, code: str) -> bytes:
    """Count a try and compare; gives what ``use`` needs to consume the code. WrongCode says the same for every cause.

    A guess where no code is alive cannot be right, so it counts against the device and the network alone: otherwise whoever makes up keys
    shuts a resident, or a city's new devices, out without ever asking for a code.
    """
    policy = parts().policy
    _refuse_when_paused(asked)
    limits.check("sign_in_failures_number", asked.number_key, at_most=policy.failures_per_number_day)
    limits.check("sign_in_failures_device", asked.binding, at_most=policy.failures_per_device_day)
    limits.check("sign_in_failures_network", asked.network, at_most=policy.failures_per_network_hour)
    key = (asked.city_id, asked.phone_blind, asked.binding)
    row = db.connection().execute(_TRY, (*key, policy.code_tries, clock.now())).fetchone()
    given = _mac(asked, code)
    if row is None or not hmac.compare_digest(bytes(row[0]), given):
        _count_failure(asked, alive=row is not None)
        raise WrongCode()
    return given


def use(asked: Asker, mac: bytes) -> None:
    """Consume a checked code in the current transaction; WrongCode when another request was faster."""
    key = (asked.city_id, asked.phone_blind, asked.binding)
    done = db.raw(db.session().connection()).execute(_USE, (clock.now(), *key, mac))
    if done.rowcount != 1:
        raise WrongCode()


def _mac(asked: Asker, code: str) -> bytes:
    # Keyed: a million codes are tried in a second against a plain hash.
    message = f"{asked.city_id}|{asked.phone}|{asked.binding}|{code}"
    return crypto.keyring().mac("sign-in-code", message.encode())


def _count_send(asked: Asker) -> None:
    policy = parts().policy
    limits.count("sign_in_sends_number_hour", asked.number_key, per=HOUR, at_most=policy.sends_per_number_hour)
    limits.count("sign_in_sends_number_day", asked.number_key, per=DAY, at_most=policy.sends_per_number_day)
    limits.count("sign_in_sends_device", asked.binding, per=DAY, at_most=policy.sends_per_device_day)
    limits.count("sign_in_sends_network", asked.network, per=HOUR, at_most=policy.sends_per_network_hour)
    limits.count("sign_in_sends_city", str(asked.city_id), per=HOUR, at_most=policy.sends_per_city_hour)


def _count_failure(asked: Asker, *, alive: bool) -> None:
    without_end = 2**31 - 1
    limits.count("sign_in_failures_device", asked.binding, per=DAY, at_most=without_end)
    limits.count("sign_in_failures_network", asked.network, per=HOUR, at_most=without_end)
    if not alive:
        return
    limits.count("sign_in_failures_number", asked.number_key, per=DAY, at_most=without_end)
    if not asked.trusted:
        limits.count("sign_in_failures_city_hour", str(asked.city_id), per=HOUR, at_most=without_end)
        limits.count("sign_in_failures_city_day", str(asked.city_id), per=DAY, at_most=without_end)


def _refuse_when_paused(asked: Asker) -> None:
    """The city-wide breaker (D28): guesses from new devices are what spraying is made of, so they alone are stopped, and no counter."""
    policy, city = parts().policy, str(asked.city_id)
    hour = limits.used("sign_in_failures_city_hour", city)
    day = limits.used("sign_in_failures_city_day", city)
    tripped = hour >= policy.new_device_failures_per_city_hour or day >= policy.new_device_failures_per_city_day
    if tripped and not asked.trusted:
        raise SignInPaused()
