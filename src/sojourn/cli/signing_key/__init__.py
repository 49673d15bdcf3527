"""sojourn signing-key: change the key that signs the ledger."""
