"""The scribe: its loop, log, store, recovery and client, as real processes where it matters."""
