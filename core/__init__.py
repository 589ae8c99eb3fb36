"""The ground floor: database, edge, errors, ids, money, clock, crypto, audit, outbox, jobs, gateways."""
