"""Publishing the ledger: static files that strangers can check, in a folder and in a bucket that cannot be altered."""
