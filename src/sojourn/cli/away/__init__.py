"""Being out of office."""
