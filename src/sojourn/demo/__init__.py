"""The main job on embedded parts: a real PostgreSQL plays production."""
