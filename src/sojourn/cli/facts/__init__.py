"""sojourn facts: what the policy may ask about the world."""
