"""The commands about targets themselves, one file each."""
