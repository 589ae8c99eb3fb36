"""The numbers by which signing in is judged; each is a limit with its reason, none is scattered in the code."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long, how often, how many. The expected number of hijacks follows from these (docs/security, threat 7)."""

    code_lifetime: dt.timedelta = dt.timedelta(minutes=5)
    code_tries: int = 5
    resend_after: dt.timedelta = dt.timedelta(seconds=60)
    sends_per_number_hour: int = 5
    sends_per_number_day: int = 10
    sends_per_device_day: int = 20
    sends_per_network_hour: int = 120
    sends_per_city_hour: int = 50_000
    failures_per_number_day: int = 15
    failures_per_device_day: int = 15
    failures_per_network_hour: int = 100
    # Only new devices count here and only they are stopped: a guess is right once in a million, so a day gives 0.004 hijacks at most.
    new_device_failures_per_city_hour: int = 1_000
    new_device_failures_per_city_day: int = 4_000
    proof_age: dt.timedelta = dt.timedelta(seconds=60)
    lost_answer: dt.timedelta = dt.timedelta(seconds=60)
    resident_idle: dt.timedelta = dt.timedelta(days=30)
    resident_absolute: dt.timedelta = dt.timedelta(days=180)
    staff_idle: dt.timedelta = dt.timedelta(minutes=30)
    staff_absolute: dt.timedelta = dt.timedelta(hours=12)
    devices_per_resident: int = 10
    sign_in_request_lifetime: dt.timedelta = dt.timedelta(minutes=15)
    face_check_lifetime: dt.timedelta = dt.timedelta(minutes=10)
    passkeys_per_resident: int = 10
    passkey_challenge_lifetime: dt.timedelta = dt.timedelta(minutes=5)
    passkey_tries_per_resident_day: int = 20
    passkey_challenges_per_network_hour: int = 1_200
    passkey_failures_per_network_hour: int = 100
    passkey_step_ups_per_resident_hour: int = 30
    identity_tries_per_resident_day: int = 5
    identity_tries_per_number_day: int = 10
    identity_checks_per_clerk_day: int = 400
    face_checks_per_resident_day: int = 10
    # Wrong passwords from one network, or wrong codes with the right password, until the lock; strangers elsewhere shut nobody out.
    staff_failures: int = 5
    # Wrong passwords for one login from all networks together: fifty of them would have to work at it all the time.
    staff_failures_per_login_hour: int = 1_000
    staff_lock: dt.timedelta = dt.timedelta(minutes=15)
    staff_tries_per_network_hour: int = 200
    residents_found_per_clerk_day: int = 400
    persons_revealed_per_clerk_day: int = 50
    consent_lifetime: dt.timedelta = dt.timedelta(days=365)
    sensitive_consent_age: dt.timedelta = dt.timedelta(minutes=5)
    browser_lifetime: dt.timedelta = dt.timedelta(hours=12)
    oauth_code_lifetime: dt.timedelta = dt.timedelta(seconds=60)
    oauth_request_lifetime: dt.timedelta = dt.timedelta(minutes=20)
    pushed_request_lifetime: dt.timedelta = dt.timedelta(seconds=60)
    oauth_refresh_idle: dt.timedelta = dt.timedelta(days=30)
    oauth_grant_lifetime: dt.timedelta = dt.timedelta(days=180)
    enrolment_lifetime: dt.timedelta = dt.timedelta(hours=24)
    enrolment_tries_per_network_hour: int = 30


HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
