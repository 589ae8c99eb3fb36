-- What a transfer's row_hash covers: every column, as one unambiguous byte string. All fields but the last have a fixed width and
-- are the big-endian bytes that PostgreSQL sends; "none" is the nil UUID; the kind ends the string.
CREATE FUNCTION ledger_transfer_hash(
  id uuid, city_id integer, debit_account uuid, credit_account uuid, amount_fen bigint,
  debit_balance_after bigint, credit_balance_after bigint, debit_entry bigint, credit_entry bigint,
  reference uuid, reverses uuid, occurred_at timestamptz, recorded_at timestamptz, txid bigint, kind text
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    '\x7472616e736665723100'::bytea  -- "transfer1" and a zero byte: no other kind of row hashes alike
    || uuid_send(id) || int4send(city_id) || uuid_send(debit_account) || uuid_send(credit_account) || int8send(amount_fen)
    || int8send(debit_balance_after) || int8send(credit_balance_after) || int8send(debit_entry) || int8send(credit_entry)
    || uuid_send(coalesce(reference, '00000000-0000-0000-0000-000000000000'))
    || uuid_send(coalesce(reverses, '00000000-0000-0000-0000-000000000000'))
    || timestamptz_send(occurred_at) || timestamptz_send(recorded_at) || int8send(txid) || convert_to(kind, 'UTF8'));
