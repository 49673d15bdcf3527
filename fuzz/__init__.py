"""Coverage-guided fuzzing (atheris) of every parser of the ledger, of the scribe and of the verifier."""
