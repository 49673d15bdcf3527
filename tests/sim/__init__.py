"""Simulations: everybody does anything, and machines die at any moment."""
