-- One key per code for pg_advisory_xact_lock: whoever consumes a code, to present or to charge, holds it while looking into the other's table.
CREATE FUNCTION code_lock_v1(p_handle bigint, p_step bigint, p_tap smallint) RETURNS bigint LANGUAGE sql IMMUTABLE
AS $$ SELECT (p_handle << 30) | ((p_step & 268435455) << 2) | p_tap $$;

-- Present one authentic code: consume it, look at the card, write who saw what. One statement, one transaction, no flush (D11, D18).
CREATE FUNCTION present_code_v1(
  p_presentation uuid, p_use uuid, p_city integer, p_actor_kind text, p_actor uuid,
  p_handle bigint, p_generation integer, p_step bigint, p_tap smallint,
  p_now timestamptz, p_today date, p_purpose text, p_fields text[]
) RETURNS TABLE (
  refusal text, until timestamptz, resident_id uuid, card_id uuid, masked_name text, number text, form text, product text, concession text
) LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  -- No code lives longer than this, so that after an emptied table every code that could come twice is dead.
  code_life CONSTANT interval := '90 seconds';
  presentation_life CONSTANT interval := '120 seconds';
  recovered_at timestamptz;
  h pay_handle;
  c card;
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
    RETURN QUERY SELECT 'codes_recovering', recovered_at, NULL::uuid, NULL::uuid, NULL, NULL, NULL, NULL, NULL;
    RETURN;
  END IF;

  PERFORM pg_advisory_xact_lock(code_lock_v1(p_handle, p_step, p_tap));
  SELECT * INTO h FROM pay_handle x WHERE x.handle = p_handle;
  SELECT * INTO c FROM card x WHERE x.id = h.card_id;
  refusal := CASE
    WHEN h.handle IS NULL OR h.generation <> p_generation OR h.revoked_at IS NOT NULL THEN 'pay_key_revoked'
    WHEN h.city_id <> p_city THEN 'code_of_other_city'
    WHEN EXISTS (SELECT FROM code_used u WHERE u.handle = p_handle AND u.step = p_step AND u.tap = p_tap) THEN 'code_used'
    ELSE card_refusal_v1(c, p_now, p_today)
  END;
  IF refusal IS NULL THEN
    until := p_now + presentation_life;
    INSERT INTO presented (handle, step, tap, id, terminal_id, card_id, at, expires_at)
      VALUES (p_handle, p_step, p_tap, p_presentation, p_actor, c.id, p_now, until)
      ON CONFLICT (handle, step, tap) DO NOTHING;
    IF NOT FOUND THEN
      refusal := 'code_used';
    END IF;
  END IF;
  IF refusal IS NOT NULL THEN
    RETURN QUERY SELECT refusal, NULL::timestamptz, c.resident_id, c.id, NULL, NULL, NULL, NULL, NULL;
    RETURN;
  END IF;
  INSERT INTO data_use (id, city_id, resident_id, at, actor_kind, actor_id, purpose, fields)
    VALUES (p_use, p_city, c.resident_id, p_now, p_actor_kind, p_actor, p_purpose, p_fields);
  RETURN QUERY SELECT NULL, until, c.resident_id, c.id, c.masked_name, c.number, c.form, c.product, c.concession;
END $$;
