-- The city's time in SQL: the machine's clock plus the one offset row (always zero in production).
CREATE FUNCTION city_now() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
AS $$ SELECT clock_timestamp() + "offset" FROM clock_offset $$;
