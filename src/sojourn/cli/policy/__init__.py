"""sojourn policy: read, try, compare and change what is allowed."""
