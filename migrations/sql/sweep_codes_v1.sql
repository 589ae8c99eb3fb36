-- Forget codes that are dead for ten minutes and presentations that ended. The application's role cannot delete them by itself: a code
-- deleted too early could be used twice.
CREATE FUNCTION sweep_codes_v1() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  dead_before CONSTANT bigint := floor(extract(epoch FROM city_now()) / 30) - 20;
  swept bigint;
  more bigint;
BEGIN
  DELETE FROM presented WHERE handle >= 0 AND step < dead_before;
  GET DIAGNOSTICS swept = ROW_COUNT;
  DELETE FROM code_used WHERE step < dead_before;
  GET DIAGNOSTICS more = ROW_COUNT;
  RETURN swept + more;
END $$;
