"""Sealed values and secrets: envelope encryption and where keys come from."""
