"""The JSON API: a thin skin over workflow and projections."""
