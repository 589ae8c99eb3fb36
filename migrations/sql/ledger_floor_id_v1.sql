-- The border in the id space for a moment: below every UUIDv7 made then or later (RFC 9562, 48 bits of milliseconds first).
CREATE FUNCTION ledger_floor_id(moment timestamptz) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
