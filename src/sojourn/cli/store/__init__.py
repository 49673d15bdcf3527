"""sojourn store: where the ledger is kept."""
