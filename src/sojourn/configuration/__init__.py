"""The reviewable YAML files, read into the domain's catalogue."""
