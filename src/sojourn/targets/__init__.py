"""Making access real and taking it back, one file per kind of target."""
