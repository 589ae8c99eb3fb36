-- The number on a receipt: city (6 digits), day in China (6), a running number (9) and two check digits (ISO 7064 MOD 97-10).
-- The running number comes from one sequence for all cities: it may skip, and 10^9 receipts a day are enough for any of them.
CREATE FUNCTION receipt_number(city integer, moment timestamptz) RETURNS text LANGUAGE sql VOLATILE STRICT
RETURN (
  SELECT lpad(city::text, 6, '0') || day || lpad(running::text, 9, '0')
         -- In two steps, because 23 digits do not fit a bigint: a number modulo 97 may stand for the number itself.
         || lpad((98 - ((city * 1000000::bigint + day::bigint) % 97 * 1000000000 + running) % 97 * 100 % 97)::text, 2, '0')
    FROM (SELECT to_char(moment AT TIME ZONE 'Asia/Shanghai', 'YYMMDD') AS day,
                 nextval('receipt_running') % 1000000000 AS running) AS n
);
