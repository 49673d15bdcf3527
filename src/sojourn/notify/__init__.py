"""Telling people and systems what waits for them. It follows the ledger, and nothing ever waits for it."""
