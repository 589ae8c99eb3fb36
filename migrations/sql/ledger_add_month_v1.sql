-- Makes room for the transfers of one month (UTC), with the guards of the whole table; true if it was not there yet.
-- Attached rather than created in place: posting goes on meanwhile. The name is made from a date, nothing of the caller's enters it.
CREATE FUNCTION ledger_add_month(month date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  first CONSTANT timestamptz := date_trunc('month', month::timestamptz);
  part CONSTANT text := 'transfer_' || to_char(first, 'YYYY_MM');
BEGIN
  PERFORM pg_advisory_xact_lock(7164120261);  -- two workers at the turn of the month: the second waits and finds it done
  IF to_regclass('public.' || part) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE public.%I (LIKE public.transfer INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
  EXECUTE format('ALTER TABLE public.transfer ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                 part, ledger_floor_id(first), ledger_floor_id(first + interval '1 month'));
  EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON public.%I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', part || '_kept', part);
  RETURN true;
END $$;
