"""What the provider remembers: browsers that signed in, requests on their way, and grants with their codes and refresh tokens."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Browser(Base):
    """A browser on our sign-in page, known by the digest of its cookie, and the session it holds once somebody signed in."""

    __tablename__ = "oauth_browser"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes]
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"), index=True)
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("session.id"))
    methods: Mapped[list[str]]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("digest", name="uq_oauth_browser_digest"),)


class AuthorizationRequest(Base):
    """A partner's request that was found valid: pushed (RFC 9126) and waiting for its browser, or being answered on our page."""

    __tablename__ = "oauth_request"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    browser_id: Mapped[UUID | None] = mapped_column(ForeignKey("oauth_browser.id", ondelete="CASCADE"), index=True)
    pushed_digest: Mapped[bytes | None]
    parameters: Mapped[dict[str, Any]]
    sign_in_request_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_in_request.id"))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    finished_at: Mapped[dt.datetime | None]
    __table_args__ = (
        UniqueConstraint("pushed_digest", name="uq_oauth_request_pushed_digest"),
        CheckConstraint("browser_id IS NOT NULL OR pushed_digest IS NOT NULL", name="whose"),
    )


class Grant(Base):
    """What one sign-in gave one partner: the code, used once, and the family of tokens that came of it."""

    __tablename__ = "oauth_grant"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("session.id"), index=True)
    scopes: Mapped[list[str]]
    fields: Mapped[list[str]]
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    code_digest: Mapped[bytes]
    code_expires_at: Mapped[dt.datetime]
    code_used_at: Mapped[dt.datetime | None]
    code_thumbprint: Mapped[str | None]
    nonce: Mapped[str | None]
    acr: Mapped[str]
    methods: Mapped[list[str]]
    proved_at: Mapped[dt.datetime]
    thumbprint: Mapped[str | None]
    refresh_digest: Mapped[bytes | None]
    previous_digest: Mapped[bytes | None]
    rotated_at: Mapped[dt.datetime | None]
    refresh_expires_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    revoked_at: Mapped[dt.datetime | None]
    revoked_because: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("code_digest", name="uq_oauth_grant_code_digest"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_because IS NULL)", name="revoked"),
        Index("ix_oauth_grant_resident_id", "resident_id", "partner_id", postgresql_where=text("revoked_at IS NULL")),
    )

    # What Authlib's grammar asks of a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6) and of a refresh token.
    code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Where the code was sent; the token request must name the same."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was granted, separated by blanks."""
        return " ".join(self.scopes)

    def check_client(self, client: Any) -> bool:
        """Whether the grant was given to this client."""
        return bool(client.id == self.partner_id)
