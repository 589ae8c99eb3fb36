"""HTTP of agreements: the texts, which anybody may read, and the resident's own list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth import scopes
from auth.agreements import guardians, keeping, schemas, texts
from auth.agreements.errors import AgreementOutdated, GuardianMustAgree, GuardianUnfit, NotUnderFourteen
from auth.agreements.guardians import Word
from auth.agreements.texts import Kind
from auth.errors import DocumentExpired, IdentityMismatch, RegisterUnavailable
from auth.verification.chips import ChipRead
from core.actors import Actor
from core.errors import NotFound, Throttled
from core.paging import Page
from core.web import PageQuery, Routes, anyone, page_of, resident, staff

routes = Routes("agreements")


@routes.get(
    "/api/agreements",
    operation="listAgreementTexts",
    access=anyone(reason="a text is read before anybody agrees to it"),
    gives=schemas.TextsOut,
    mode="posts",
)
def list_agreement_texts(actor: Actor) -> dict[str, Any]:
    """List the present version of each text, in both languages."""
    return {"items": list(texts.present().values())}


@routes.get(
    "/api/agreements/<kind>/<version>",
    operation="getAgreementText",
    access=anyone(reason="whoever agreed to a version may read it again"),
    gives=schemas.TextOut,
    mode="posts",
    errors=(NotFound,),
)
def get_agreement_text(actor: Actor, kind: str, version: str) -> texts.Text:
    """Show one version of a text, earlier ones too."""
    found = texts.all_texts().get((Kind(kind), version)) if kind in set(Kind) else None
    if found is None:
        raise NotFound()
    return found


@routes.get("/api/me/agreements", operation="listAgreements", access=resident(), query=PageQuery, gives=page_of(schemas.AgreementOut))
def list_agreements(actor: Actor, query: dict[str, Any]) -> Page:
    """List what the caller agreed to and when, withdrawn ones too."""
    return keeping.of_resident(actor, cursor=query["cursor"], limit=query["limit"])


@routes.post(
    "/api/me/agreements",
    operation="agree",
    access=resident(),
    takes=schemas.AgreementsIn,
    gives=schemas.DueOut,
    status=201,
    errors=(AgreementOutdated, GuardianMustAgree),
)
def agree(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Agree to the present version of these texts; doing it again changes nothing."""
    keeping.agree(actor, _read(body))
    return {"due": keeping.due(actor.id)}


@routes.post(
    "/api/counter/residents/<id:resident>/guardian-agreements",
    operation="agreeAsGuardian",
    access=staff(scopes.Permission.IDENTITY_CHECK),
    takes=schemas.GuardianAgreementsIn,
    gives=schemas.DueOut,
    mode="calls",
    status=201,
    errors=(
        NotFound,
        AgreementOutdated,
        GuardianUnfit,
        NotUnderFourteen,
        DocumentExpired,
        IdentityMismatch,
        RegisterUnavailable,
        Throttled,
    ),
)
def agree_as_guardian(actor: Actor, resident: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Agree for a child under fourteen as their guardian, by the chip of the guardian's card; doing it again changes nothing."""
    return {"due": guardians.agree_for(actor, resident, word_of(body))}


@routes.delete("/api/me/agreements/<id:agreement>", operation="withdrawAgreement", access=resident(), errors=(NotFound,))
def withdraw_agreement(actor: Actor, agreement: UUID) -> None:
    """Take an agreement back: what rests on it is refused until it is given again."""
    keeping.withdraw(actor, agreement)


def word_of(body: dict[str, Any]) -> Word:
    """What a guardian says, as a body of GuardianAgreementsIn holds it."""
    return Word(ChipRead(**body["guardian"]), body["document"], _read(body))


def _read(body: dict[str, Any]) -> tuple[tuple[Kind, str], ...]:
    return tuple((Kind(each["kind"]), each["version"]) for each in body["items"])
