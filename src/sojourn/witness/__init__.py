"""The witness: a separate party that cosigns the ledger's checkpoints and refuses a history that was rewritten."""
