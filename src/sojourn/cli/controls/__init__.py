"""sojourn controls: what each control promises, what is on record of it, and what comes of trying to break it."""
