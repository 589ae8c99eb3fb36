"""What clients were told: the side of the story that the books must agree with."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Code:
    """The place of a pay code: which handle, which step of time, which tap."""

    handle: int
    step: int
    tap: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A charge that a terminal was told is posted."""

    key: str
    terminal: UUID
    charge: UUID
    code: Code
    amount_fen: int
    tries: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A charge that a terminal was told is not posted, and why."""

    key: str
    code: Code
    reason: str
    alone: bool  # no other key was sent with this code


@dataclass(frozen=True, slots=True)
class Credited:
    """A top-up that a resident was told is in the wallet."""

    top_up: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Presented:
    """An identity presentation that a terminal was told is good."""

    terminal: UUID
    code: Code


@dataclass(frozen=True, slots=True)
class BillSettled:
    """The payment of a bill of which a resident was told how it ended: `paid`, `failed` or `refunded`."""

    payment: UUID
    bill: str
    amount_fen: int
    state: str


@dataclass(frozen=True, slots=True)
class BillRefused:
    """A bill of which a resident was told that it is not paid, and why."""

    bill: str
    reason: str


@dataclass(slots=True)
class Record:
    """Everything told so far, by whatever thread; `unknown` are keys whose last try got no answer."""

    paid: dict[str, Paid] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)
    credited: dict[UUID, Credited] = field(default_factory=dict)
    presented: list[Presented] = field(default_factory=list)
    unknown: dict[str, Code] = field(default_factory=dict)
    bills: dict[UUID, BillSettled] = field(default_factory=dict)
    bills_refused: list[BillRefused] = field(default_factory=list)
    facts: set[tuple[str, str]] = field(default_factory=set)  # consent and what happened to it
    heard: dict[str, bytes] = field(default_factory=dict)  # webhook-id and body, as the partner's endpoint took it
    contradictions: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell_paid(self, paid: Paid, seconds: float) -> None:
        """Keeps a posted charge; a second, different answer to one key is a contradiction."""
        with self._lock:
            before = self.paid.setdefault(paid.key, paid)
            if before.charge != paid.charge:
                self.contradictions.append(f"key {paid.key} was answered with {before.charge} and with {paid.charge}")
            if paid.key in self.refused:
                self.contradictions.append(f"key {paid.key} was refused and then paid")
            self.unknown.pop(paid.key, None)
            self.slowest = max(self.slowest, seconds)

    def tell_refused(self, refused: Refused) -> None:
        """Keeps a refusal; one that follows a success is a contradiction."""
        with self._lock:
            if refused.key in self.paid:
                self.contradictions.append(f"key {refused.key} was paid and then refused: {refused.reason}")
            self.refused[refused.key] = refused
            self.unknown.pop(refused.key, None)

    def tell_credited(self, credited: Credited) -> None:
        """Keeps a top-up that arrived."""
        with self._lock:
            self.credited[credited.top_up] = credited

    def tell_presented(self, presented: Presented) -> None:
        """Keeps a good presentation; a code that is good twice is a contradiction."""
        with self._lock:
            if any(known.code == presented.code for known in self.presented):
                self.contradictions.append(f"code {presented.code} was presented twice")
            self.presented.append(presented)

    def tell_bill(self, settled: BillSettled) -> None:
        """Keeps how the payment of a bill ended; another end of the same payment is a contradiction."""
        with self._lock:
            before = self.bills.setdefault(settled.payment, settled)
            if before.state != settled.state:
                self.contradictions.append(f"bill payment {settled.payment} was told {before.state} and then {settled.state}")

    def tell_bill_refused(self, refused: BillRefused) -> None:
        """Keeps a bill that was refused."""
        with self._lock:
            self.bills_refused.append(refused)

    def tell_fact(self, consent: str, event: str) -> None:
        """Keeps what a resident was told is done, and of which the partner must hear."""
        with self._lock:
            self.facts.add((consent, event))

    def hear(self, identity: str, body: bytes) -> None:
        """Keeps what the partner's endpoint took; the same id again must say the same."""
        with self._lock:
            before = self.heard.setdefault(identity, body)
            if before != body:
                self.contradictions.append(f"event {identity} was told in two ways")

    def contradict(self, sentence: str) -> None:
        """Keeps what must not have been."""
        with self._lock:
            self.contradictions.append(sentence)

    def leave_open(self, key: str, code: Code) -> None:
        """Keeps a key of which nobody knows what became of it."""
        with self._lock:
            self.unknown[key] = code

    def count(self, answer: str) -> None:
        """Counts one answer, by status and code."""
        with self._lock:
            self.answers[answer] += 1

    def snapshot(self) -> "Record":
        """A copy that no thread changes any more."""
        with self._lock:
            return Record(
                dict(self.paid), dict(self.refused), dict(self.credited), list(self.presented), dict(self.unknown),
                dict(self.bills), list(self.bills_refused), set(self.facts), dict(self.heard),
                list(self.contradictions), Counter(self.answers), self.slowest,
            )  # fmt: skip
