"""The offline verifier, and a second one that was written from the page."""
