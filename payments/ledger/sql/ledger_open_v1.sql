-- The one way an account comes to be: empty, with the floor of its kind. Opening it again with the same content is no error.
-- Only a merchant may owe, and only up to its refund credit line; money enters and leaves the city through accounts without a floor.
CREATE FUNCTION ledger_open(account_id uuid, city integer, account_kind text, owner uuid DEFAULT NULL, credit_line_fen bigint DEFAULT 0)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  lowest CONSTANT bigint := CASE WHEN account_kind IN ('clearing', 'bank', 'subsidy', 'suspense') THEN NULL ELSE - credit_line_fen END;
BEGIN
  IF credit_line_fen <> 0 AND account_kind <> 'merchant' OR credit_line_fen NOT BETWEEN 0 AND 10000000 THEN
    RAISE EXCEPTION 'ledger_open: a credit line is for merchants, up to 10,000,000 fen' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO account (id, city_id, kind, owner_id, balance, floor, entries, opened_at)
  VALUES (account_id, city, account_kind, owner, 0, lowest, 0, city_now())
  ON CONFLICT (id) DO NOTHING;
  IF NOT FOUND AND NOT EXISTS (
       SELECT FROM account a WHERE a.id = account_id AND a.city_id = city AND a.kind = account_kind
          AND a.owner_id IS NOT DISTINCT FROM owner AND a.floor IS NOT DISTINCT FROM lowest) THEN
    RAISE EXCEPTION 'ledger_open: account % exists with other content', account_id USING ERRCODE = 'unique_violation';
  END IF;
  RETURN account_id;
END $$;
