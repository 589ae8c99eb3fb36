-- The office's own tables; applied at every start, so each statement may be repeated.
CREATE TABLE IF NOT EXISTS utility_customer (
    company text NOT NULL,
    account text NOT NULL,
    owner text NOT NULL,
    address text NOT NULL,
    persons int NOT NULL CHECK (persons > 0),
    meter text NOT NULL,
    PRIMARY KEY (company, account)
);

CREATE TABLE IF NOT EXISTS utility_reading (
    company text NOT NULL,
    account text NOT NULL,
    read_on date NOT NULL,
    value bigint NOT NULL CHECK (value >= 0),
    PRIMARY KEY (company, account, read_on),
    FOREIGN KEY (company, account) REFERENCES utility_customer (company, account)
);

-- `number` is the city's: the same number is the same payment. A withdrawn number is never accepted, however late its order arrives.
CREATE TABLE IF NOT EXISTS utility_payment (
    company text NOT NULL,
    number text NOT NULL,
    serial bigint GENERATED ALWAYS AS IDENTITY,
    account text NOT NULL,
    bill text NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
    day date NOT NULL,
    state text NOT NULL CHECK (state IN ('accepted', 'withdrawn')),
    at timestamptz NOT NULL,
    PRIMARY KEY (company, number)
);
CREATE UNIQUE INDEX IF NOT EXISTS utility_payment_bill ON utility_payment (company, bill) WHERE state = 'accepted';
CREATE INDEX IF NOT EXISTS utility_payment_day ON utility_payment (company, day);
