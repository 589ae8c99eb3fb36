"""HTTP of agreements: the texts, which anybody may read, and the resident's own list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth.agreements import keeping, schemas, texts
from auth.agreements.errors import AgreementOutdated
from auth.agreements.texts import Kind
from core.actors import Actor
from core.errors import NotFound
from core.paging import Page
from core.web import PageQuery, Routes, anyone, page_of, resident

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
    errors=(AgreementOutdated,),
)
def agree(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Agree to the present version of these texts; doing it again changes nothing."""
    keeping.agree(actor, [(Kind(each["kind"]), each["version"]) for each in body["items"]])
    return {"due": keeping.due(actor.id)}


@routes.delete("/api/me/agreements/<id:agreement>", operation="withdrawAgreement", access=resident(), errors=(NotFound,))
def withdraw_agreement(actor: Actor, agreement: UUID) -> None:
    """Take an agreement back: what rests on it is refused until it is given again."""
    keeping.withdraw(actor, agreement)
