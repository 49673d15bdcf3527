"""sojourn sample: what auditors drew, what they asked about it, and the packs of all of it."""
