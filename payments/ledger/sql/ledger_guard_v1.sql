-- Second line behind the missing grants, for the owner's own stray statements: an account's identity and floor stand, and its balance
-- moves only together with its count of entries, which is what ledger_post does.
CREATE FUNCTION ledger_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: a balance moves only through ledger_post', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
