"""Webhooks: where partners want to be told, and what was told them with which answer."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables."""
    op.execute(
        """
        CREATE TABLE webhook_endpoint (
          id uuid NOT NULL CONSTRAINT pk_webhook_endpoint PRIMARY KEY,
          city_id integer NOT NULL,
          partner_id uuid NOT NULL CONSTRAINT fk_webhook_endpoint_partner_id REFERENCES partner (id),
          url text NOT NULL,
          events text[] NOT NULL,
          state text NOT NULL,
          note text,
          secret_sealed bytea NOT NULL,
          earlier_secret_sealed bytea,
          earlier_until timestamptz,
          failing_since timestamptz,
          created_at timestamptz NOT NULL,
          CONSTRAINT uq_webhook_endpoint_partner_id_url UNIQUE (partner_id, url),
          CONSTRAINT ck_webhook_endpoint_state CHECK (state IN ('active', 'disabled')),
          CONSTRAINT ck_webhook_endpoint_note CHECK ((state = 'disabled') = (note IS NOT NULL)),
          CONSTRAINT ck_webhook_endpoint_earlier CHECK ((earlier_secret_sealed IS NULL) = (earlier_until IS NULL))
        );
        GRANT SELECT, INSERT, DELETE, UPDATE (state, note, secret_sealed, earlier_secret_sealed, earlier_until, failing_since)
          ON webhook_endpoint TO citycard_app;

        CREATE TABLE webhook_delivery (
          id uuid NOT NULL CONSTRAINT pk_webhook_delivery PRIMARY KEY,
          city_id integer NOT NULL,
          endpoint_id uuid NOT NULL CONSTRAINT fk_webhook_delivery_endpoint_id REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
          fact_id uuid,
          event text NOT NULL,
          body jsonb NOT NULL,
          state text NOT NULL,
          attempts integer NOT NULL DEFAULT 0,
          next_at timestamptz,
          last_at timestamptz,
          last_status integer,
          last_fault text,
          created_at timestamptz NOT NULL,
          CONSTRAINT uq_webhook_delivery_endpoint_id_fact_id UNIQUE (endpoint_id, fact_id),
          CONSTRAINT ck_webhook_delivery_state CHECK (state IN ('waiting', 'delivered', 'dead', 'dropped')),
          CONSTRAINT ck_webhook_delivery_next_at CHECK ((state = 'waiting') = (next_at IS NOT NULL))
        );
        CREATE INDEX ix_webhook_delivery_next_at ON webhook_delivery (next_at) WHERE state = 'waiting';
        CREATE INDEX ix_webhook_delivery_endpoint_id ON webhook_delivery (endpoint_id, id);
        CREATE INDEX ix_webhook_delivery_created_at ON webhook_delivery (created_at);
        GRANT SELECT, INSERT, DELETE, UPDATE (state, attempts, next_at, last_at, last_status, last_fault) ON webhook_delivery TO citycard_app;
        """
    )


def downgrade() -> None:
    """Gone."""
    op.execute("DROP TABLE webhook_delivery, webhook_endpoint")
