-- A card's state or flags change by a numbered step only; the deferred key on (id, version) then demands the event of that number.
CREATE FUNCTION card_steps() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
  IF (NEW.state, NEW.lost_at, NEW.loss_kind, NEW.frozen_at, NEW.locked_at, NEW.bad_at, NEW.expires_on, NEW.mirrored_status, NEW.replaced_by)
     IS DISTINCT FROM
     (OLD.state, OLD.lost_at, OLD.loss_kind, OLD.frozen_at, OLD.locked_at, OLD.bad_at, OLD.expires_on, OLD.mirrored_status, OLD.replaced_by)
     AND NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'card % changed without a step', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.version NOT IN (OLD.version, OLD.version + 1) THEN
    RAISE EXCEPTION 'card % skipped a step', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
