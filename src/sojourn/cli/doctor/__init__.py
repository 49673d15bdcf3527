"""sojourn doctor: check what Sojourn relies on."""
