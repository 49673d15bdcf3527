"""sojourn ssh-key: keys of your own that open the gateway."""
