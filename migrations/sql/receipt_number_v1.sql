-- The next receipt number: city 6, day 6, running number 9, and two check digits of ISO 7064 MOD 97-10.
CREATE FUNCTION receipt_number(city integer, today date) RETURNS text LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
DECLARE
  digits CONSTANT text := lpad(city::text, 6, '0') || to_char(today, 'YYMMDD') || lpad(nextval('receipt_running')::text, 9, '0');
BEGIN
  RETURN digits || lpad((98 - digits::numeric * 100 % 97)::text, 2, '0');
END $$;
