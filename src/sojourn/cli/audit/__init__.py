"""Read and prove the record where it lies: one file per command."""
