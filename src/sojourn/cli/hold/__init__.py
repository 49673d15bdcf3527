"""sojourn hold: what must not be destroyed."""
