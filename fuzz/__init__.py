"""Fuzz targets: each module `fuzz_*` has one `check(data)`, which says what must hold for any bytes whatever."""
