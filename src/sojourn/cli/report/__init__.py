"""Reports that auditors take away: one file per command."""
