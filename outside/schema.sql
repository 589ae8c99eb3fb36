-- The outside world's own tables; applied at every start, so each statement may be repeated.
CREATE TABLE IF NOT EXISTS message (
    id text PRIMARY KEY,
    number text NOT NULL,
    template text NOT NULL,
    text text NOT NULL,
    "values" jsonb NOT NULL,
    reference text NOT NULL UNIQUE,
    received_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS message_number ON message (number, received_at DESC);

CREATE TABLE IF NOT EXISTS face_check (
    nonce text PRIMARY KEY,
    person text NOT NULL,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    result text CHECK (result IN ('same_person', 'another_person', 'not_live')),
    token text UNIQUE,
    CHECK ((result IS NULL) = (token IS NULL))
);
CREATE INDEX IF NOT EXISTS face_check_person ON face_check (person, opened_at DESC);

CREATE TABLE IF NOT EXISTS pay_order (
    provider_order text PRIMARY KEY,
    merchant text NOT NULL,
    merchant_order text NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    refunded_fen bigint NOT NULL DEFAULT 0 CHECK (refunded_fen BETWEEN 0 AND amount_fen),
    subject text NOT NULL,
    notify_url text NOT NULL,
    pay_token text NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('waiting', 'paid', 'refused', 'closed')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    paid_at timestamptz,
    UNIQUE (merchant, merchant_order),
    CHECK ((state = 'paid') = (paid_at IS NOT NULL)),
    CHECK (refunded_fen = 0 OR state = 'paid')
);

CREATE TABLE IF NOT EXISTS pay_refund (
    provider_refund text PRIMARY KEY,
    merchant text NOT NULL,
    merchant_refund text NOT NULL,
    merchant_order text NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    reason text NOT NULL,
    done_at timestamptz NOT NULL,
    UNIQUE (merchant, merchant_refund),
    FOREIGN KEY (merchant, merchant_order) REFERENCES pay_order (merchant, merchant_order)
);

CREATE TABLE IF NOT EXISTS notice (
    id text PRIMARY KEY,
    merchant text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('order', 'refund')),
    number text NOT NULL,
    provider_number text NOT NULL,
    amount_fen bigint NOT NULL,
    state text NOT NULL,
    url text NOT NULL,
    due_at timestamptz,
    tries int NOT NULL DEFAULT 0,
    delivered_at timestamptz,
    last_answer text
);
CREATE INDEX IF NOT EXISTS notice_due ON notice (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS fault (
    place text NOT NULL,
    kind text NOT NULL,
    share numeric NOT NULL DEFAULT 1 CHECK (share > 0 AND share <= 1),
    value bigint NOT NULL DEFAULT 0,
    times int,
    calls int NOT NULL DEFAULT 0,
    hits int NOT NULL DEFAULT 0,
    PRIMARY KEY (place, kind)
);

CREATE TABLE IF NOT EXISTS nonce_seen (
    nonce text PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS nonce_seen_at ON nonce_seen (seen_at);
