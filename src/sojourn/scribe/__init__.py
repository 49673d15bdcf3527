"""The one process that writes the ledger, its stores, and the client that everybody else uses."""
