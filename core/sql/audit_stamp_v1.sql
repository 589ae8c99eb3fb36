-- Time, transaction and row hash of an audit line are the database's own: the caller cannot back-date or forge them.
CREATE FUNCTION audit_row_hash(a audit) RETURNS bytea LANGUAGE plpgsql IMMUTABLE
SET search_path = public, pg_temp
AS $$
BEGIN
  RETURN sha256(convert_to(concat_ws(E'\x1f', a.id, a.city_id, extract(epoch FROM a.at), a.actor_kind, a.actor_id, a.event, a.subject,
    coalesce(a.resident_id::text, '-'), a.outcome, a.detail::text, coalesce(a.request_id::text, '-'), a.txid), 'UTF8'));
END $$;

CREATE FUNCTION audit_stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
  NEW.at := city_now();
  NEW.txid := pg_current_xact_id()::text::bigint;
  NEW.row_hash := audit_row_hash(NEW);
  RETURN NEW;
END $$;
