"""sojourn retention: how long records are kept, and the disposal of what was kept long enough."""
