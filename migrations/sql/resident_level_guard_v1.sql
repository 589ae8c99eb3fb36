-- Identity levels never fall silently, and a proven citizen number never changes to another.
CREATE FUNCTION resident_level_guard() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
  IF NEW.identity_level < OLD.identity_level THEN
    RAISE EXCEPTION 'the identity level of a resident does not fall' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.citizen_number_blind IS NOT NULL AND NEW.citizen_number_blind IS DISTINCT FROM OLD.citizen_number_blind AND NEW.state = 'active' THEN
    RAISE EXCEPTION 'a proven citizen number does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
