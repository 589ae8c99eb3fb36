"""Partners, the consent ledger and what the OpenID Connect provider remembers."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PARTNERS = """
CREATE TABLE partner (
  id uuid NOT NULL CONSTRAINT pk_partner PRIMARY KEY,
  city_id integer NOT NULL,
  agency_id uuid NOT NULL,
  code text NOT NULL,
  zh text NOT NULL,
  en text NOT NULL,
  kind text NOT NULL,
  scopes text[] NOT NULL,
  redirect_uris text[] NOT NULL,
  logout_uris text[] NOT NULL,
  keys jsonb NOT NULL,
  dpop_required boolean DEFAULT false NOT NULL,
  push_required boolean DEFAULT false NOT NULL,
  created_at timestamptz NOT NULL,
  switched_off_at timestamptz,
  version integer DEFAULT 1 NOT NULL,
  CONSTRAINT uq_partner_code UNIQUE (city_id, code),
  CONSTRAINT ck_partner_kind CHECK (kind IN ('confidential', 'public'))
);

CREATE TABLE partner_purpose (
  id uuid NOT NULL CONSTRAINT pk_partner_purpose PRIMARY KEY,
  city_id integer NOT NULL,
  partner_id uuid NOT NULL CONSTRAINT fk_partner_purpose_partner_id REFERENCES partner (id),
  code text NOT NULL,
  text_version integer NOT NULL,
  zh text NOT NULL,
  en text NOT NULL,
  fields text[] NOT NULL,
  written_at timestamptz NOT NULL,
  CONSTRAINT uq_partner_purpose_version UNIQUE (partner_id, code, text_version),
  CONSTRAINT ck_partner_purpose_text_version CHECK (text_version >= 1)
);
CREATE TRIGGER partner_purpose_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON partner_purpose
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

CONSENTS = """
CREATE TABLE consent (
  id uuid NOT NULL CONSTRAINT pk_consent PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL CONSTRAINT fk_consent_resident_id REFERENCES resident (id),
  partner_id uuid NOT NULL CONSTRAINT fk_consent_partner_id REFERENCES partner (id),
  purpose text NOT NULL,
  text_version integer NOT NULL,
  fields text[] NOT NULL,
  granted_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  withdrawn_at timestamptz,
  withdrawn_because text,
  CONSTRAINT fk_consent_text FOREIGN KEY (partner_id, purpose, text_version)
    REFERENCES partner_purpose (partner_id, code, text_version),
  CONSTRAINT ck_consent_withdrawn CHECK ((withdrawn_at IS NULL) = (withdrawn_because IS NULL)),
  CONSTRAINT ck_consent_term CHECK (expires_at > granted_at)
);
CREATE UNIQUE INDEX uq_consent_live ON consent (resident_id, partner_id, purpose) WHERE withdrawn_at IS NULL;
CREATE INDEX ix_consent_resident_id ON consent (resident_id, id);

CREATE TABLE partner_subject (
  partner_id uuid NOT NULL CONSTRAINT fk_partner_subject_partner_id REFERENCES partner (id),
  subject text NOT NULL,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL CONSTRAINT fk_partner_subject_resident_id REFERENCES resident (id),
  created_at timestamptz NOT NULL,
  CONSTRAINT pk_partner_subject PRIMARY KEY (partner_id, subject),
  CONSTRAINT uq_partner_subject_resident_id UNIQUE (resident_id, partner_id)
);
"""

OAUTH = """
CREATE TABLE oauth_browser (
  id uuid NOT NULL CONSTRAINT pk_oauth_browser PRIMARY KEY,
  city_id integer NOT NULL,
  digest bytea NOT NULL CONSTRAINT uq_oauth_browser_digest UNIQUE,
  resident_id uuid CONSTRAINT fk_oauth_browser_resident_id REFERENCES resident (id),
  session_id uuid CONSTRAINT fk_oauth_browser_session_id REFERENCES session (id),
  methods text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX ix_oauth_browser_resident_id ON oauth_browser (resident_id);
CREATE INDEX ix_oauth_browser_expires_at ON oauth_browser (expires_at);

CREATE TABLE oauth_request (
  id uuid NOT NULL CONSTRAINT pk_oauth_request PRIMARY KEY,
  city_id integer NOT NULL,
  partner_id uuid NOT NULL CONSTRAINT fk_oauth_request_partner_id REFERENCES partner (id),
  browser_id uuid CONSTRAINT fk_oauth_request_browser_id REFERENCES oauth_browser (id) ON DELETE CASCADE,
  pushed_digest bytea CONSTRAINT uq_oauth_request_pushed_digest UNIQUE,
  parameters jsonb NOT NULL,
  sign_in_request_id uuid CONSTRAINT fk_oauth_request_sign_in_request_id REFERENCES sign_in_request (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  finished_at timestamptz,
  CONSTRAINT ck_oauth_request_whose CHECK (browser_id IS NOT NULL OR pushed_digest IS NOT NULL)
);
CREATE INDEX ix_oauth_request_expires_at ON oauth_request (expires_at);
CREATE INDEX ix_oauth_request_browser_id ON oauth_request (browser_id);

CREATE TABLE oauth_grant (
  id uuid NOT NULL CONSTRAINT pk_oauth_grant PRIMARY KEY,
  city_id integer NOT NULL,
  resident_id uuid NOT NULL CONSTRAINT fk_oauth_grant_resident_id REFERENCES resident (id),
  partner_id uuid NOT NULL CONSTRAINT fk_oauth_grant_partner_id REFERENCES partner (id),
  session_id uuid CONSTRAINT fk_oauth_grant_session_id REFERENCES session (id),
  scopes text[] NOT NULL,
  fields text[] NOT NULL,
  redirect_uri text NOT NULL,
  code_challenge text NOT NULL,
  code_digest bytea NOT NULL CONSTRAINT uq_oauth_grant_code_digest UNIQUE,
  code_expires_at timestamptz NOT NULL,
  code_used_at timestamptz,
  nonce text,
  acr text NOT NULL,
  methods text[] NOT NULL,
  proved_at timestamptz NOT NULL,
  thumbprint text,
  refresh_digest bytea,
  previous_digest bytea,
  rotated_at timestamptz,
  refresh_expires_at timestamptz,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_because text,
  CONSTRAINT ck_oauth_grant_revoked CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX ix_oauth_grant_resident_id ON oauth_grant (resident_id, partner_id) WHERE revoked_at IS NULL;
CREATE INDEX ix_oauth_grant_session_id ON oauth_grant (session_id);
CREATE INDEX ix_oauth_grant_expires_at ON oauth_grant (expires_at);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON partner TO citycard_app;
GRANT SELECT, INSERT ON partner_purpose, partner_subject TO citycard_app;
GRANT SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_because) ON consent TO citycard_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON oauth_browser, oauth_request, oauth_grant TO citycard_app;
"""


def upgrade() -> None:
    """Seven tables; texts of purposes are only ever added, and a consent changes in nothing but its end."""
    op.execute(PARTNERS)
    op.execute(CONSENTS)
    op.execute(OAUTH)
    op.execute(GRANTS)


def downgrade() -> None:
    """Gone."""
    op.execute("DROP TABLE oauth_grant, oauth_request, oauth_browser, partner_subject, consent, partner_purpose, partner")
