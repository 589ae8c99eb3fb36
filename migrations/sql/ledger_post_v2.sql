-- The one way money moves. N transfers given as parallel arrays are decided one after the other, exactly as if each had come alone,
-- and written together. A transfer is refused by its status; nothing about one transfer refuses another:
--   0 posted   1 balance would fall below the floor   2 no such account   3 already reversed
--   4 this id was posted before with the same content (its balances are returned)   5 ... with other content
--   6 not a transfer: amount outside 1..10^11, one account on both sides, an account of another city, an id that is no UUIDv7 of
--     about now, an unknown kind, no time of occurrence, or a reversal that does not mirror the transfer it names
-- Raises only for a caller's mistake: arrays of unequal length (22023), one id twice in a call (23505).
CREATE OR REPLACE FUNCTION ledger_post(
  ids uuid[], cities integer[], kinds text[], debits uuid[], credits uuid[], amounts bigint[],
  reference_ids uuid[], reversed_ids uuid[], occurred timestamptz[],
  OUT statuses smallint[], OUT debit_balances bigint[], OUT credit_balances bigint[], OUT recorded timestamptz
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
-- Found by id, always: a plan made while the tables were empty must not scan them when they are full. One plan per connection.
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  n CONSTANT integer := cardinality(ids);
  known_kinds CONSTANT text[] := '{top_up,charge,refund,reversal,settlement,fee,subsidy,adjustment,reserve,bill}';
  this_txid CONSTANT bigint := pg_current_xact_id()::text::bigint;
  lowest_id uuid; highest_id uuid;
  account_ids uuid[]; account_cities integer[]; balances bigint[]; floors bigint[]; counts bigint[];
  known_ids uuid[];
  debit_entries bigint[] := array_fill(NULL::bigint, ARRAY[n]);
  credit_entries bigint[] := array_fill(NULL::bigint, ARRAY[n]);
  d integer; c integer; s smallint; debit_after bigint; credit_after bigint; moved boolean := false;
BEGIN
  IF n <> ANY (ARRAY[cardinality(cities), cardinality(kinds), cardinality(debits), cardinality(credits), cardinality(amounts),
                     cardinality(reference_ids), cardinality(reversed_ids), cardinality(occurred)]) THEN
    RAISE EXCEPTION 'ledger_post: arrays of unequal length' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  statuses := array_fill(6::smallint, ARRAY[n]);
  debit_balances := array_fill(NULL::bigint, ARRAY[n]);
  credit_balances := array_fill(NULL::bigint, ARRAY[n]);

  -- Every caller locks accounts in the order of their ids, so two calls never wait for each other in a circle. NO KEY: a foreign
  -- key to an account does not wait.
  SELECT array_agg(a.id), array_agg(a.city_id), array_agg(a.balance),
         array_agg(coalesce(a.floor, -9000000000000000000)), array_agg(a.entries)
    INTO account_ids, account_cities, balances, floors, counts
    FROM (SELECT id, city_id, balance, floor, entries FROM account
           WHERE id = ANY (debits || credits) ORDER BY id FOR NO KEY UPDATE) AS a;

  -- After the lock: the time is later than that of every earlier entry of these accounts, and what others just posted is seen.
  recorded := city_now();
  lowest_id := ledger_floor_id(date_trunc('month', recorded) - interval '1 month');
  highest_id := ledger_floor_id(date_trunc('month', recorded) + interval '2 months');
  SELECT array_agg(id) INTO known_ids FROM transfer
   WHERE id = ANY (ids) AND id >= lowest_id AND id < highest_id;

  FOR i IN 1 .. n LOOP
    -- account_ids is sorted, so width_bucket is a binary search; it finds the place where the id would stand.
    d := width_bucket(debits[i], account_ids);
    c := width_bucket(credits[i], account_ids);
    IF ids[i] = ANY (known_ids) THEN
      SELECT CASE WHEN (t.city_id, t.kind, t.debit_account, t.credit_account, t.amount_fen) = (cities[i], kinds[i], debits[i], credits[i], amounts[i])
                   AND (t.reference, t.reverses) IS NOT DISTINCT FROM (reference_ids[i], reversed_ids[i]) THEN 4 ELSE 5 END,
             t.debit_balance_after, t.credit_balance_after
        INTO s, debit_after, credit_after FROM transfer t WHERE t.id = ids[i] AND t.id >= lowest_id AND t.id < highest_id;
      debit_balances[i] := debit_after;
      credit_balances[i] := credit_after;
    ELSIF account_ids[d] = debits[i] AND account_ids[c] = credits[i] THEN
      IF amounts[i] BETWEEN 1 AND 100000000000 AND d <> c
         AND account_cities[d] = cities[i] AND account_cities[c] = cities[i]
         AND ids[i] >= lowest_id AND ids[i] < highest_id AND kinds[i] = ANY (known_kinds) AND occurred[i] IS NOT NULL THEN
        IF balances[d] - amounts[i] < floors[d] THEN
          s := 1;
        ELSIF reversed_ids[i] IS NULL THEN
          s := CASE WHEN kinds[i] = 'reversal' THEN 6 ELSE 0 END;
        ELSE
          s := ledger_reverse(ids[i], kinds[i], debits[i], credits[i], amounts[i], reversed_ids[i]);
        END IF;
      ELSE
        s := 6;
      END IF;
    ELSE
      s := 2;
    END IF;
    statuses[i] := s;
    IF s = 0 THEN
      moved := true;
      balances[d] := balances[d] - amounts[i];
      balances[c] := balances[c] + amounts[i];
      counts[d] := counts[d] + 1;
      counts[c] := counts[c] + 1;
      debit_balances[i] := balances[d];
      credit_balances[i] := balances[c];
      debit_entries[i] := counts[d];
      credit_entries[i] := counts[c];
    END IF;
  END LOOP;

  IF moved THEN
    INSERT INTO transfer (id, city_id, kind, debit_account, credit_account, amount_fen, debit_balance_after, credit_balance_after,
                          debit_entry, credit_entry, reference, reverses, occurred_at, recorded_at, txid, row_hash)
    SELECT t.id, t.city, t.kind, t.debit, t.credit, t.amount, t.debit_then, t.credit_then, t.debit_entry, t.credit_entry,
           t.reference, t.reverses, t.occurred, recorded, this_txid,
           ledger_transfer_hash(t.id, t.city, t.debit, t.credit, t.amount, t.debit_then, t.credit_then, t.debit_entry, t.credit_entry,
                                t.reference, t.reverses, t.occurred, recorded, this_txid, t.kind)
      FROM unnest(ids, cities, kinds, debits, credits, amounts, debit_balances, credit_balances, debit_entries, credit_entries,
                  reference_ids, reversed_ids, occurred)
        AS t(id, city, kind, debit, credit, amount, debit_then, credit_then, debit_entry, credit_entry, reference, reverses, occurred)
     WHERE t.debit_entry IS NOT NULL;
    UPDATE account AS a
       SET balance = balances[width_bucket(a.id, account_ids)], entries = counts[width_bucket(a.id, account_ids)]
     WHERE a.id = ANY (account_ids) AND a.entries <> counts[width_bucket(a.id, account_ids)];
  END IF;
END $$;
