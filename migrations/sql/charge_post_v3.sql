-- Many charges in one commit: everything a charge writes, decided item by item as if each had come alone. Parallel arrays in, and out:
-- per item its code ('posted', or the stable code of its refusal) and its answer. The code 'replay' stands beside an answer given
-- before; 'again' is no answer: another item of this call moves the same wallet, so the caller asks for this one in its next call. An
-- item whose code could not be read comes with its refusal: it is kept like any answer, unless its key has one already.
--
-- A crash of PostgreSQL empties `presented`, which knew which codes had been shown at another terminal; its sentinel row (handle -1) is
-- then missing, and whoever misses it first puts it back with the time. A code that could have been presented before that time does not
-- pay: one of a step that opened after it does, so a till goes on with the next code of the phone.
--
-- Nobody waits in a circle, because everybody takes locks in this order: the sentinel, codes, wallets by id, accounts by id (in ledger_post), and only
-- then the rows that are written, sorted. Item times and ids are the caller's; the time that counts is read after the locks: limits are
-- decided by the day on which the wallets were locked, and counted on the day of the books, which a wait for an account can make the next.
CREATE OR REPLACE FUNCTION charge_post(
  principals uuid[], keys text[], body_hashes bytea[], request_ids uuid[],
  charge_ids uuid[], subjects text[],
  cities integer[], terminals uuid[], merchants uuid[], merchant_accounts uuid[], amounts bigint[], occurred timestamptz[],
  handles bigint[], generations integer[], steps bigint[], taps smallint[], presentations uuid[], refusals text[],
  OUT codes text[], OUT answers jsonb[]
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET timezone = 'UTC'
-- Every row is found by an index, whatever the statistics said when the plan was made; planned once per connection.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  n CONSTANT integer := cardinality(charge_ids);
  -- A code's step (cards/codes/pay_code.py), and how long before its beginning it is taken from a phone whose clock is fast.
  step_seconds CONSTANT integer := 30;
  early_seconds CONSTANT integer := 5;
  code_life CONSTANT interval := '90 seconds';
  forgotten_at timestamptz;
  this_moment timestamptz; today date; this_month date;
  wallet_ids uuid[];
  card_ids uuid[]; residents uuid[]; wallets uuid[]; debits uuid[]; names text[];
  used_handles bigint[]; used_steps bigint[]; used_taps smallint[];
  receipts text[] := array_fill(NULL::text, ARRAY[cardinality(charge_ids)]);
  statuses smallint[]; balances bigint[];
  posted record;
BEGIN
  SELECT s.at INTO forgotten_at FROM presented s WHERE s.handle = -1 AND s.step = 0 AND s.tap = 0;
  IF NOT FOUND THEN
    forgotten_at := city_now();
    INSERT INTO presented (handle, step, tap, id, terminal_id, card_id, at, expires_at)
      VALUES (-1, 0, 0, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000',
              '00000000-0000-0000-0000-000000000000', forgotten_at, forgotten_at + code_life)
      ON CONFLICT DO NOTHING;
  END IF;

  -- present_code takes the same lock: a code is presented or charged, and whoever comes second sees it.
  PERFORM pg_advisory_xact_lock(c.lock) FROM (
    SELECT DISTINCT code_lock_v1(i.handle, i.step, i.tap) AS lock FROM unnest(handles, steps, taps) AS i(handle, step, tap)
     WHERE i.handle IS NOT NULL ORDER BY 1) AS c;

  SELECT coalesce(array_agg(w.id), '{}') INTO wallet_ids FROM (
    SELECT id FROM wallet WHERE account_id = ANY (ARRAY(
      SELECT c.wallet_account_id FROM unnest(handles, presentations) AS i(handle, presentation)
        LEFT JOIN LATERAL (SELECT handle FROM presented x WHERE x.id = i.presentation OFFSET 0) p ON true
        JOIN LATERAL (SELECT card_id FROM pay_handle x WHERE x.handle = coalesce(i.handle, p.handle) OFFSET 0) h ON true
        JOIN card c ON c.id = h.card_id))
    ORDER BY id FOR NO KEY UPDATE) AS w;

  -- Read after the locks: whatever another charge of these wallets did is seen.
  this_moment := city_now();
  today := (this_moment AT TIME ZONE 'Asia/Shanghai')::date;
  this_month := date_trunc('month', today);

  SELECT array_agg(d.code), array_agg(d.card_id), array_agg(d.resident_id), array_agg(d.wallet_id),
         array_agg(CASE WHEN d.code IS NULL THEN d.account_id END), array_agg(d.masked_name),
         array_agg(d.handle), array_agg(d.step), array_agg(d.tap), array_agg(d.answer)
    INTO codes, card_ids, residents, wallets, debits, names, used_handles, used_steps, used_taps, answers
    FROM (
        SELECT f.o, f.card_id, f.resident_id, f.wallet_id, f.account_id, f.masked_name, f.handle, f.step, f.tap, f.answer,
               CASE
                 WHEN f.refusal IS NOT NULL THEN f.refusal
                 WHEN row_number() OVER (PARTITION BY f.wallet_id, f.refusal IS NULL ORDER BY f.o) > 1 THEN 'again'
                 WHEN f.amount > f.single_limit_fen THEN 'limit_single'
                 -- A wallet without a count of its own (NULL) is not limited by it.
                 WHEN CASE WHEN f.spent_on = today THEN f.spent_day_count ELSE 0 END >= f.daily_count_limit THEN 'limit_count'
                 WHEN f.amount + CASE WHEN f.spent_on = today THEN f.spent_day_fen ELSE 0 END > f.daily_limit_fen THEN 'limit_daily'
                 WHEN f.amount + CASE WHEN f.spent_month = this_month THEN f.spent_month_fen ELSE 0 END > f.monthly_limit_fen
                   THEN 'limit_monthly'
               END AS code
          FROM (
            SELECT i.o, i.amount, c.id AS card_id, c.resident_id, c.masked_name, w.id AS wallet_id, w.account_id,
                   w.single_limit_fen, w.daily_limit_fen, w.daily_count_limit, w.monthly_limit_fen,
                   w.spent_on, w.spent_day_fen, w.spent_day_count, w.spent_month, w.spent_month_fen,
                   coalesce(i.handle, p.handle) AS handle, coalesce(i.step, p.step) AS step, coalesce(i.tap, p.tap) AS tap, k.answer,
                   CASE
                     WHEN k.body_hash <> i.body_hash THEN 'idempotency_key_reused'
                     WHEN k.status = 0 THEN 'request_in_progress'
                     WHEN k.status > 0 THEN 'replay'
                     WHEN i.refusal IS NOT NULL THEN i.refusal
                     WHEN i.presentation IS NOT NULL AND p.terminal_id IS DISTINCT FROM i.terminal THEN 'presentation_unknown'
                     WHEN p.expires_at <= this_moment THEN 'presentation_expired'
                     WHEN h.handle IS NULL THEN 'code_unknown'
                     WHEN h.revoked_at <= this_moment OR h.generation <> i.generation THEN 'pay_key_revoked'
                     WHEN h.city_id <> i.city THEN 'code_of_other_city'
                     WHEN u.charge_id IS NOT NULL OR q.terminal_id <> i.terminal THEN 'code_used'
                     -- A sentinel of the future was written before a demo's clock was set back: it tells of no crash.
                     WHEN i.presentation IS NULL AND to_timestamp(i.step * step_seconds - early_seconds) <= forgotten_at
                          AND forgotten_at <= this_moment + code_life THEN 'code_expired'
                     WHEN card_refusal_v1(c, this_moment, today) IS NOT NULL THEN card_refusal_v1(c, this_moment, today)
                     WHEN w.id IS NULL OR w.mode <> 'platform' THEN 'wallet_elsewhere'
                     WHEN w.state <> 'open' THEN 'wallet_stopped'
                     -- Linked to another wallet between the lock and this look.
                     WHEN w.id <> ALL (wallet_ids) THEN 'again'
                   END AS refusal
              FROM unnest(principals, keys, body_hashes, cities, terminals, amounts, handles, generations, steps, taps, presentations, refusals)
                   WITH ORDINALITY
                AS i(principal, key, body_hash, city, terminal, amount, handle, generation, step, tap, presentation, refusal, o)
              -- Laterals with OFFSET 0 are looked up row by row through their key and in no other way. As plain joins, a plan made while one
              -- of these tables is empty (a new city, codes swept at night) reads the whole index for every item until the next ANALYZE.
              LEFT JOIN LATERAL (SELECT * FROM idempotency x WHERE x.principal = i.principal AND x.key = i.key OFFSET 0) k ON true
              LEFT JOIN LATERAL (SELECT * FROM presented x WHERE x.id = i.presentation OFFSET 0) p ON true
              LEFT JOIN LATERAL (SELECT * FROM presented x WHERE x.handle = i.handle AND x.step = i.step AND x.tap = i.tap OFFSET 0) q ON true
              LEFT JOIN LATERAL (SELECT * FROM pay_handle x WHERE x.handle = coalesce(i.handle, p.handle) OFFSET 0) h ON true
              LEFT JOIN card c ON c.id = h.card_id
              LEFT JOIN LATERAL (SELECT * FROM code_used x WHERE x.handle = coalesce(i.handle, p.handle)
                                    AND x.step = coalesce(i.step, p.step) AND x.tap = coalesce(i.tap, p.tap) OFFSET 0) u ON true
              LEFT JOIN LATERAL (SELECT * FROM wallet x WHERE x.account_id = c.wallet_account_id OFFSET 0) w ON true
          ) AS f
         ORDER BY f.o
    ) AS d;

  -- An item refused already has no account to debit, which ledger_post leaves alone.
  SELECT * INTO posted FROM ledger_post(
    charge_ids, cities, array_fill('charge'::text, ARRAY[n]), debits, merchant_accounts, amounts,
    charge_ids, array_fill(NULL::uuid, ARRAY[n]), occurred);
  -- Receipt numbers and counters go by the day that is recorded. What the limits of the day before allowed fits a day without payments: nobody
  -- else has moved these wallets since they were locked.
  today := (posted.recorded AT TIME ZONE 'Asia/Shanghai')::date;
  this_month := date_trunc('month', today);
  statuses := posted.statuses;
  balances := posted.debit_balances;
  FOR i IN 1 .. n LOOP
    IF codes[i] IS NULL THEN
      codes[i] := CASE statuses[i] WHEN 0 THEN 'posted' WHEN 1 THEN 'insufficient_funds' WHEN 2 THEN 'merchant_unknown'
                                   ELSE 'charge_impossible' END;
    END IF;
    IF codes[i] = 'posted' THEN
      receipts[i] := receipt_number(cities[i], today);
      answers[i] := jsonb_build_object(
        'code', codes[i], 'charge', charge_ids[i], 'card', card_ids[i], 'resident', residents[i], 'masked_name', names[i],
        'amount_fen', amounts[i], 'balance_after_fen', balances[i], 'receipt_number', receipts[i],
        'terminal', terminals[i], 'merchant', merchants[i], 'occurred_at', occurred[i], 'recorded_at', posted.recorded);
    ELSIF codes[i] = 'again' THEN
      answers[i] := jsonb_build_object('code', codes[i], 'wallet', wallets[i]);
    ELSIF codes[i] <> 'replay' THEN
      answers[i] := jsonb_build_object('code', codes[i]);
    END IF;
  END LOOP;

  INSERT INTO code_used (handle, step, tap, charge_id, at)
  SELECT i.handle, i.step, i.tap, i.charge, posted.recorded
    FROM unnest(codes, used_handles, used_steps, used_taps, charge_ids) AS i(code, handle, step, tap, charge)
   WHERE i.code = 'posted' ORDER BY 1, 2, 3;

  INSERT INTO charge (id, city_id, resident_id, card_id, terminal_id, merchant_id, amount_fen, refunded_fen, state, transfer_id,
                      receipt_number, occurred_at, recorded_at, facts)
  SELECT i.charge, i.city, i.resident, i.card, i.terminal, i.merchant, i.amount, 0, 'posted', i.transfer,
         i.receipt, i.occurred, posted.recorded, jsonb_build_object('masked_name', i.name, 'balance_after_fen', i.balance)
    FROM unnest(codes, charge_ids, cities, residents, card_ids, terminals, merchants, amounts, charge_ids, receipts, occurred,
                names, balances)
      AS i(code, charge, city, resident, card, terminal, merchant, amount, transfer, receipt, occurred, name, balance)
   WHERE i.code = 'posted';

  UPDATE wallet AS w
     SET spent_day_fen = CASE WHEN w.spent_on = today THEN w.spent_day_fen ELSE 0 END + i.amount,
         spent_day_count = CASE WHEN w.spent_on = today THEN w.spent_day_count ELSE 0 END + 1,
         spent_month_fen = CASE WHEN w.spent_month = this_month THEN w.spent_month_fen ELSE 0 END + i.amount,
         spent_on = today, spent_month = this_month
    FROM unnest(codes, wallets, amounts) AS i(code, wallet, amount)
   WHERE i.code = 'posted' AND w.id = i.wallet;

  INSERT INTO outbox (id, city_id, event, subject, payload, occurred_at)
  SELECT i.id, i.city, 'payments:charge:post', i.subject, i.answer, posted.recorded
    FROM unnest(codes, charge_ids, cities, subjects, answers) AS i(code, id, city, subject, answer)
   WHERE i.code = 'posted';

  INSERT INTO audit (id, city_id, actor_kind, actor_id, event, subject, resident_id, outcome, detail, request_id)
  SELECT i.id, i.city, 'terminal', i.terminal, CASE i.code WHEN 'posted' THEN 'payments:charge:post' ELSE 'payments:charge:refuse' END,
         i.subject, i.resident, CASE i.code WHEN 'posted' THEN 'done' ELSE i.code END,
         jsonb_build_object('amount_fen', i.amount, 'merchant', i.merchant, 'card', i.card), i.request
    FROM unnest(codes, charge_ids, cities, terminals, subjects, residents, amounts, merchants, card_ids, request_ids)
      AS i(code, id, city, terminal, subject, resident, amount, merchant, card, request)
   WHERE i.code NOT IN ('replay', 'again', 'request_in_progress');

  INSERT INTO idempotency (principal, key, body_hash, status, answer, created_at)
  SELECT i.principal, i.key, i.body_hash, CASE i.code WHEN 'posted' THEN 201 ELSE 409 END, i.answer, this_moment
    FROM unnest(codes, principals, keys, body_hashes, answers) AS i(code, principal, key, body_hash, answer)
   WHERE i.code NOT IN ('replay', 'again', 'request_in_progress', 'idempotency_key_reused') ORDER BY 1, 2;

  -- A repetition writes, so that its commit waits for the standby like the first one's did: nobody is told of a payment that a
  -- failover then loses.
  IF 'replay' = ANY (codes) THEN
    UPDATE idempotency AS k SET replays = k.replays + 1
      FROM (SELECT r.principal, r.key FROM unnest(codes, principals, keys) AS r(code, principal, key)
             WHERE r.code = 'replay' ORDER BY 1, 2) AS i
     WHERE k.principal = i.principal AND k.key = i.key;
  END IF;
END $$;
