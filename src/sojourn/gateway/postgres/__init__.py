"""PostgreSQL through the gateway (frontend/backend protocol 3)."""
