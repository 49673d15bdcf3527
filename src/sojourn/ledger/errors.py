"""The one error that leaves the ledger package."""


class LedgerError(ValueError):
    """Bytes, text or a proof that break a rule of the ledger; the message says which rule."""
