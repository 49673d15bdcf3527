"""Commands about certification campaigns."""
