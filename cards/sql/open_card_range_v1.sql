-- Open a range of card numbers, or let it grow at its end: the sequence behind it is the database's own, so no two cards get one number.
CREATE FUNCTION open_card_range_v1(p_issuer text, p_prefix text, p_width integer, p_first bigint, p_last bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
  known card_range;
  made integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('card_range:' || p_issuer, 0));
  SELECT * INTO known FROM card_range WHERE issuer = p_issuer AND prefix = p_prefix;
  IF NOT FOUND THEN
    IF EXISTS (SELECT FROM card_range r WHERE r.issuer = p_issuer AND (starts_with(r.prefix, p_prefix) OR starts_with(p_prefix, r.prefix))) THEN
      RAISE EXCEPTION 'card range % % overlaps another of its issuer', p_issuer, p_prefix USING ERRCODE = 'exclusion_violation';
    END IF;
    INSERT INTO card_range (issuer, prefix, width, first_number, last_number, sequence)
      VALUES (p_issuer, p_prefix, p_width, p_first, p_last, '') RETURNING id INTO made;
    EXECUTE format('CREATE SEQUENCE %I MINVALUE %s MAXVALUE %s START %s NO CYCLE', 'card_range_' || made || '_number', p_first, p_last, p_first);
    EXECUTE format('GRANT USAGE ON SEQUENCE %I TO citycard_app', 'card_range_' || made || '_number');
    UPDATE card_range SET sequence = 'card_range_' || made || '_number' WHERE id = made;
  ELSIF known.width <> p_width OR known.first_number <> p_first OR known.last_number > p_last THEN
    RAISE EXCEPTION 'card range % % is in use and may only grow at its end', p_issuer, p_prefix USING ERRCODE = 'exclusion_violation';
  ELSIF known.last_number < p_last THEN
    EXECUTE format('ALTER SEQUENCE %I MAXVALUE %s', known.sequence, p_last);
    UPDATE card_range SET last_number = p_last WHERE id = known.id;
  END IF;
END $$;
