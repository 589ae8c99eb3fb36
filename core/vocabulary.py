"""The closed vocabularies, all in one place: audit events and outbox events, each ``area:thing:action``.

A room adds its words here and documents them in ``docs/events.md``; a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum


class AuditEvent(StrEnum):
    """What the audit log may say happened."""

    REQUEST_REFUSED = "edge:request:refuse"
    CLOCK_MOVED = "core:clock:move"
    FILE_STORED = "core:file:store"
    FILE_READ = "core:file:read"
    PERSON_REVEALED = "auth:person:reveal"
    SIGN_IN_CODE_SENT = "auth:sign_in_code:send"
    SIGNED_IN = "auth:session:start"
    SIGN_IN_FAILED = "auth:session:fail"
    SESSION_REFRESHED = "auth:session:refresh"
    SESSION_REUSED = "auth:session:reuse"
    SESSION_ENDED = "auth:session:end"
    DEVICE_REMOVED = "auth:device:remove"
    IDENTITY_PROVED = "auth:identity:prove"
    IDENTITY_FAILED = "auth:identity:fail"
    STAFF_SIGNED_IN = "auth:staff:sign_in"
    STAFF_SIGN_IN_FAILED = "auth:staff:fail"
    TERMINAL_REGISTERED = "auth:terminal:register"
    TERMINAL_ENROLLED = "auth:terminal:enrol"
    TERMINAL_SIGNED_IN = "auth:terminal:sign_in"
    TERMINAL_DISABLED = "auth:terminal:disable"
    CARD_ISSUED = "cards:card:issue"
    CARD_ACTIVATED = "cards:card:activate"
    CARD_LOST = "cards:loss:report"
    CARD_FOUND = "cards:loss:take_back"
    CARD_LOSS_LAPSED = "cards:loss:lapse"
    CARD_FROZEN = "cards:card:freeze"
    CARD_RESUMED = "cards:card:resume"
    CARD_CANCELLED = "cards:card:cancel"
    CARD_EXPIRED = "cards:card:expire"
    CARD_PRESENTED = "cards:card:present"
    PRESENT_REFUSED = "cards:card:refuse"
    PAY_KEY_GIVEN = "cards:pay_key:give"
    PAY_KEY_REVOKED = "cards:pay_key:revoke"
    WALLET_OPENED = "payments:wallet:open"
    LIMITS_CHANGED = "payments:limits:change"
    TOP_UP_ORDERED = "payments:top_up:order"
    TOP_UP_CREDITED = "payments:top_up:credit"
    TOP_UP_FAILED = "payments:top_up:fail"
    CALLBACK_REFUSED = "payments:callback:refuse"
    CHARGE_POSTED = "payments:charge:post"
    CHARGE_REFUSED = "payments:charge:refuse"
    CHARGE_REVERSED = "payments:charge:reverse"
    CHARGE_REFUNDED = "payments:charge:refund"
    JOURNAL_READ = "payments:journal:read"


class Event(StrEnum):
    """What the outbox may tell, each about one subject and in the order it happened to that subject."""

    RESIDENT_ADMITTED = "auth:resident:admit"
    IDENTITY_RAISED = "auth:identity:raise"
    DEVICE_REMOVED = "auth:device:remove"
    SIGNED_IN_ELSEWHERE = "auth:session:start"
    CARD_ISSUED = "cards:card:issue"
    CARD_LOST = "cards:loss:report"
    CARD_FOUND = "cards:loss:take_back"
    CARD_CHANGED = "cards:card:change"
    TOP_UP_CREDITED = "payments:top_up:credit"
    CHARGE_POSTED = "payments:charge:post"
    CHARGE_REVERSED = "payments:charge:reverse"
    CHARGE_REFUNDED = "payments:charge:refund"
