"""The policy: how rules are judged, compared, explained and shown."""
