"""The shape of what comes in and goes out on the card floor."""

from __future__ import annotations

from marshmallow import fields

from cards.lifecycle import CLERK_STEPS
from cards.rules import Form, LossKind, State
from core.fields import Count, Day, Id, Moment, OneOf, Schema, Text


class ProductOut(Schema):
    """A kind of card the city issues."""

    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)
    issuer = fields.String(required=True)
    wallet_mode = fields.String(required=True)
    forms = fields.List(OneOf(*Form), required=True)


class ProductsOut(Schema):
    """The kinds of card the city issues now."""

    items = fields.List(fields.Nested(ProductOut), required=True)


class IssueIn(Schema):
    """Which card the resident asks for."""

    product = Text(most=40, required=True)


class FlagsOut(Schema):
    """The five flags of a card, each standing by itself."""

    lost = fields.Boolean(required=True)
    frozen = fields.Boolean(required=True)
    locked = fields.Boolean(required=True)
    bad = fields.Boolean(required=True)
    expired = fields.Boolean(required=True)


class RefusalOut(Schema):
    """Why a card is refused now."""

    code = fields.String(required=True)
    zh = fields.String(required=True)
    en = fields.String(required=True)


class CardOut(Schema):
    """A card as its holder sees it."""

    id = Id("card", required=True)
    product = fields.String(required=True)
    issuer = fields.String(required=True)
    number = fields.String(required=True)
    form = OneOf(*Form, required=True)
    state = OneOf(*State, required=True)
    flags = fields.Nested(FlagsOut, required=True)
    refusal = fields.Nested(RefusalOut, required=True, allow_none=True)
    masked_name = fields.String(required=True)
    concession = fields.String(required=True, allow_none=True)
    expires_on = Day(required=True)
    lost_at = Moment(required=True, allow_none=True)
    loss_kind = OneOf(*LossKind, required=True, allow_none=True)
    loss_lapses_at = Moment(required=True, allow_none=True)
    loss_lapse = OneOf("release", "cancel", required=True, allow_none=True)
    wallet_account_id = Id("account", required=True, allow_none=True)
    replaced_by = Id("card", required=True, allow_none=True)
    mirrored_status = fields.String(required=True, allow_none=True)
    issued_at = Moment(required=True)
    version = Count(required=True)


class CardsOut(Schema):
    """All cards of a resident."""

    items = fields.List(fields.Nested(CardOut), required=True)


class CounterCardOut(Schema):
    """A card as a clerk sees it at the counter: the holder's name masked, the number cut to its tail."""

    id = Id("card", required=True)
    product = fields.String(required=True)
    number_tail = fields.String(required=True)
    form = OneOf(*Form, required=True)
    state = OneOf(*State, required=True)
    flags = fields.Nested(FlagsOut, required=True)
    refusal = fields.Nested(RefusalOut, required=True, allow_none=True)
    masked_name = fields.String(required=True)
    expires_on = Day(required=True)
    lost_at = Moment(required=True, allow_none=True)
    loss_kind = OneOf(*LossKind, required=True, allow_none=True)
    loss_lapses_at = Moment(required=True, allow_none=True)
    version = Count(required=True)


class CounterCardsOut(Schema):
    """The living cards of the resident at the counter."""

    items = fields.List(fields.Nested(CounterCardOut), required=True)


class CardEventOut(Schema):
    """One step in a card's life."""

    ordinal = Count(required=True)
    event = fields.String(required=True)
    state_before = OneOf(*State, required=True, allow_none=True)
    state_after = OneOf(*State, required=True)
    actor_kind = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    facts = fields.Dict(keys=fields.String(), required=True)
    occurred_at = Moment(required=True)


class LossIn(Schema):
    """A report of loss by the holder: temporary unless they ask for a formal one."""

    kind = OneOf(*LossKind, load_default="temporary")


class LossReportOut(Schema):
    """How many cards are lost now, and nothing that would show one of them."""

    cards = Count(required=True)


class CounterLossIn(Schema):
    """A report of loss at the counter, on behalf of the holder."""

    kind = OneOf(*LossKind, load_default="formal")
    reason = Text(most=200, required=True)


class ReasonIn(Schema):
    """Why the holder wants it."""

    reason = OneOf("lost", "damaged", "number_exposed", "other", required=True)


class ReleaseIn(Schema):
    """What whoever looked at the terminal found."""

    reason = Text(least=2, most=200, required=True)


class StepIn(Schema):
    """A step a clerk takes with a card."""

    step = OneOf(*CLERK_STEPS, required=True)
    reason = Text(most=200, required=True)


class CodeIn(Schema):
    """A scanned or typed pay code."""

    code = Text(most=64, required=True)


class PayKeyOut(Schema):
    """The key from which a phone makes codes without network; shown this once."""

    card_id = Id("card", required=True)
    handle = Count(most=49_999_999, required=True)
    generation = Count(least=1, required=True)
    device_secret = fields.String(required=True)
    permutation_key = fields.String(required=True)
    prefix = fields.String(required=True)
    step_seconds = Count(required=True)
    taps = Count(required=True)
    server_time = Moment(required=True)


class PresentationCardOut(Schema):
    """What a terminal sees of the card."""

    tail = fields.String(required=True)
    form = OneOf(*Form, required=True)
    product = fields.String(required=True)
    concession = fields.String(required=True, allow_none=True)


class PresentationOut(Schema):
    """A consumed code and who stands there, as far as this terminal may see it."""

    id = Id("presentation", required=True)
    expires_at = Moment(required=True)
    masked_name = fields.String(required=True)
    card = fields.Nested(PresentationCardOut, required=True)


class PartnerPresentationIn(Schema):
    """A pay code that is shown to a partner, and for which of its registered purposes it looks."""

    code = Text(most=64, required=True)
    purpose = Text(most=40, pattern=r"^[a-z][a-z0-9_-]{1,39}$", required=True)


class PartnerPresentationOut(PresentationOut):
    """A consumed code as a partner sees it; ``subject`` is its own name for the resident, if they consented to the purpose."""

    subject = fields.String(required=True, allow_none=True)
