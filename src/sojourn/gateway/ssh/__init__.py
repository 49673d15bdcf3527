"""The gateway's SSH: see COVERAGE.md for what is seen of a session, and what is not."""
