"""Who is asking: local accounts, passwords and tokens."""
