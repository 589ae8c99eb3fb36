-- One key per code for pg_advisory_xact_lock: whoever consumes a code, to present or to charge, holds it while looking into the other's table.
CREATE OR REPLACE FUNCTION code_lock_v1(p_handle bigint, p_step bigint, p_tap smallint) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$ SELECT (p_handle << 30) | ((p_step & 268435455) << 2) | p_tap $$;

-- Present authentic codes, each decided as if it had come alone: consume it, look at the card, write who saw what. Parallel arrays in, one row
-- per item out, in their order. One transaction, no flush (D11, D18).
--
-- A presentation that stands already under the item's own id is its answer: whoever lost the connection asks again under the same id.
--
-- Locks are taken in the order of charge_post (the sentinel, then codes, sorted), so that nobody waits in a circle; what is written after them
-- no other transaction can hold.
CREATE FUNCTION present_codes(
  ids uuid[], cities integer[], actor_kinds text[], actors uuid[],
  handles bigint[], generations integer[], steps bigint[], taps smallint[], purposes text[], fields text[], p_now timestamptz
) RETURNS TABLE (
  refusal text, until timestamptz, resident_id uuid, card_id uuid, masked_name text, number text, form text, product text, concession text
) LANGUAGE plpgsql
SET search_path = public, pg_temp
-- Every row is found by an index, whatever the statistics said when the plan was made; planned once per connection.
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  -- No code lives longer than this, so that after an emptied table every code that could come twice is dead.
  code_life CONSTANT interval := '90 seconds';
  presentation_life CONSTANT interval := '120 seconds';
  today CONSTANT date := (p_now AT TIME ZONE 'Asia/Shanghai')::date;
  recovered_at timestamptz;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT s.expires_at INTO recovered_at FROM presented s WHERE s.handle = -1 AND s.step = 0 AND s.tap = 0;
  IF NOT FOUND THEN
    recovered_at := p_now + code_life;
    INSERT INTO presented (handle, step, tap, id, terminal_id, card_id, at, expires_at)
      VALUES (-1, 0, 0, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000',
              '00000000-0000-0000-0000-000000000000', p_now, recovered_at)
      ON CONFLICT DO NOTHING;
  END IF;
  IF recovered_at > p_now THEN
    RETURN QUERY SELECT 'codes_recovering', recovered_at, NULL::uuid, NULL::uuid, NULL, NULL, NULL, NULL, NULL FROM unnest(ids);
    RETURN;
  END IF;

  PERFORM pg_advisory_xact_lock(c.lock) FROM (
    SELECT DISTINCT code_lock_v1(i.handle, i.step, i.tap) AS lock FROM unnest(handles, steps, taps) AS i(handle, step, tap) ORDER BY 1) AS c;

  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT i.*, c.id AS card_id, c.resident_id, c.masked_name, c.number, c.form, c.product, c.concession,
           CASE
             WHEN h.handle IS NULL OR h.generation <> i.generation OR h.revoked_at IS NOT NULL THEN 'pay_key_revoked'
             WHEN h.city_id <> i.city THEN 'code_of_other_city'
             WHEN EXISTS (SELECT FROM code_used u WHERE u.handle = i.handle AND u.step = i.step AND u.tap = i.tap) THEN 'code_used'
             ELSE card_refusal_v1(c, p_now, today)
           END AS refusal
      FROM unnest(ids, cities, actor_kinds, actors, handles, generations, steps, taps, purposes, fields) WITH ORDINALITY
        AS i(id, city, actor_kind, actor, handle, generation, step, tap, purpose, fields, o)
      LEFT JOIN LATERAL (SELECT * FROM pay_handle x WHERE x.handle = i.handle OFFSET 0) h ON true
      LEFT JOIN LATERAL (SELECT * FROM card x WHERE x.id = h.card_id OFFSET 0) c ON true
  ), consumed AS (
    -- Of two items with one code the first is written, and the other meets it.
    INSERT INTO presented (handle, step, tap, id, terminal_id, card_id, at, expires_at)
    SELECT a.handle, a.step, a.tap, a.id, a.actor, a.card_id, p_now, p_now + presentation_life
      FROM asked a WHERE a.refusal IS NULL ORDER BY a.o
    ON CONFLICT (handle, step, tap) DO NOTHING
    RETURNING id, expires_at
  ), told AS (
    INSERT INTO data_use (id, city_id, resident_id, at, actor_kind, actor_id, purpose, fields)
    SELECT a.id, a.city, a.resident_id, p_now, a.actor_kind, a.actor, a.purpose, a.fields::text[]
      FROM asked a JOIN consumed p ON p.id = a.id
  )
  SELECT coalesce(a.refusal, CASE WHEN p.expires_at IS NULL THEN 'code_used' END), p.expires_at, a.resident_id, a.card_id,
         p.masked_name, p.number, p.form, p.product, p.concession
    FROM asked a
    -- Of a card that is refused nothing is told.
    LEFT JOIN LATERAL (
      SELECT w.expires_at, a.masked_name, a.number, a.form, a.product, a.concession FROM (
        SELECT c.expires_at FROM consumed c WHERE c.id = a.id
        UNION ALL
        SELECT x.expires_at FROM presented x WHERE x.id = a.id AND a.refusal IS NULL
      ) w
    ) p ON true
   ORDER BY a.o;
END $$;
