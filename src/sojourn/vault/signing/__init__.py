"""Where the signing key is kept: a private file, a PKCS#11 token, a transit engine, or the KMS of a cloud."""
