-- Frozen. The bare ledger that the charge is measured against: one row per transfer, the balance after it on both
-- sides, a floor, an idempotency key in the same commit, both accounts locked in the order of their ids.
-- It knows no card, no code, no limit, no receipt, no audit: it is the least a correct posting can cost.
DROP SCHEMA IF EXISTS bare CASCADE;
CREATE SCHEMA bare;

CREATE TABLE bare.account (
  id      bigint PRIMARY KEY,
  balance bigint NOT NULL DEFAULT 0,
  floor   bigint,
  CHECK (floor IS NULL OR balance >= floor)
) WITH (fillfactor = 70);

CREATE TABLE bare.transfer (
  id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key                  uuid   NOT NULL UNIQUE,
  debit                bigint NOT NULL,
  credit               bigint NOT NULL,
  amount               bigint NOT NULL CHECK (amount > 0),
  debit_balance_after  bigint NOT NULL,
  credit_balance_after bigint NOT NULL,
  recorded_at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX transfer_by_debit ON bare.transfer (debit, id);
CREATE INDEX transfer_by_credit ON bare.transfer (credit, id);

INSERT INTO bare.account (id, balance, floor) SELECT n, 1000000000, 0 FROM generate_series(1, 100000) n;
INSERT INTO bare.account (id, balance, floor) VALUES (200000, 0, 0);

CREATE FUNCTION bare.post(p_key uuid, p_debit bigint, p_credit bigint, p_amount bigint,
                          OUT transfer_id bigint, OUT replayed boolean)
LANGUAGE plpgsql AS $$
DECLARE debit_after bigint; credit_after bigint;
BEGIN
  SELECT id INTO transfer_id FROM bare.transfer WHERE key = p_key;
  replayed := FOUND;
  IF replayed THEN RETURN; END IF;
  IF p_debit < p_credit THEN
    UPDATE bare.account SET balance = balance - p_amount WHERE id = p_debit RETURNING balance INTO STRICT debit_after;
    UPDATE bare.account SET balance = balance + p_amount WHERE id = p_credit RETURNING balance INTO STRICT credit_after;
  ELSE
    UPDATE bare.account SET balance = balance + p_amount WHERE id = p_credit RETURNING balance INTO STRICT credit_after;
    UPDATE bare.account SET balance = balance - p_amount WHERE id = p_debit RETURNING balance INTO STRICT debit_after;
  END IF;
  INSERT INTO bare.transfer (key, debit, credit, amount, debit_balance_after, credit_balance_after)
  VALUES (p_key, p_debit, p_credit, p_amount, debit_after, credit_after)
  RETURNING id INTO transfer_id;
END $$;

VACUUM ANALYZE bare.account;
