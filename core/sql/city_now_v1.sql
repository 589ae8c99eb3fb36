-- The city's time in SQL: the machine's clock plus the one offset row (always zero in production). In plpgsql, whose
-- plan is kept per connection: an SQL function with its own search_path is parsed anew in every statement that calls it.
CREATE FUNCTION city_now() RETURNS timestamptz LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$ BEGIN RETURN clock_timestamp() + (SELECT "offset" FROM clock_offset); END $$;
