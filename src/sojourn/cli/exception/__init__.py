"""What becomes of exceptions: one file per command."""
