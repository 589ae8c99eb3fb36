\set debit random(1, 100000)
\set amount random(1, 500)
SELECT * FROM bare.post(gen_random_uuid(), :debit, 200000, :amount);
