-- Decides one reversal for ledger_post, which holds the locks of both accounts: 0 and noted, 3 already reversed, 6 not its mirror.
CREATE FUNCTION ledger_reverse(reversal uuid, kind text, debit uuid, credit uuid, amount bigint, original uuid)
RETURNS smallint LANGUAGE plpgsql
SET search_path = public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
  IF kind <> 'reversal' OR NOT EXISTS (
       SELECT FROM transfer t WHERE t.id = original AND t.debit_account = credit AND t.credit_account = debit
          AND t.amount_fen = amount AND t.reverses IS NULL) THEN
    RETURN 6;
  END IF;
  INSERT INTO reversed_transfer (transfer_id, reversed_by) VALUES (original, reversal) ON CONFLICT (transfer_id) DO NOTHING;
  RETURN CASE WHEN FOUND THEN 0 ELSE 3 END;
END $$;
