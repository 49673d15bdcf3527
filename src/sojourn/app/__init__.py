"""The only place that wires things together, and the only one that touches clock, randomness and environment."""
