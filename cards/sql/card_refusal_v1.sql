-- Why a card is refused at a moment, or NULL: the same order as cards/rules.py why_refused, held together by a test.
CREATE FUNCTION card_refusal_v1(c card, p_now timestamptz, p_today date) RETURNS text LANGUAGE sql IMMUTABLE
AS $$
  SELECT CASE
    WHEN (c).state = 'cancelled' THEN 'card_cancelled'
    WHEN (c).state = 'replaced' THEN 'card_replaced'
    WHEN (c).state = 'inactive' THEN 'card_inactive'
    WHEN (c).lost_at <= p_now THEN 'card_lost'
    WHEN (c).frozen_at <= p_now THEN 'card_frozen'
    WHEN (c).locked_at <= p_now THEN 'card_locked'
    WHEN (c).bad_at <= p_now THEN 'card_bad'
    WHEN (c).expires_on < p_today THEN 'card_expired'
    WHEN (c).mirrored_status <> 'active' THEN 'card_refused_by_issuer'
  END
$$;
