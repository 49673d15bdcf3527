"""Sojourn: temporary access to production, and the proof of it."""
