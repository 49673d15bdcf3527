"""Where the ledger's signing key is kept: a private file, a PKCS#11 token, or a transit engine (OpenBao, Vault)."""
