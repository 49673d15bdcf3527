"""What a person can do, one verb per module. Loads, asks the domain to decide, and records."""
