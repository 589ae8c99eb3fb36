\set debit random(1, 100000)
\set other random(1, 99999)
\set credit :other + (case when :other >= :debit then 1 else 0 end)
\set amount random(1, 500)
SELECT * FROM bare.post(gen_random_uuid(), :debit, :credit, :amount);
