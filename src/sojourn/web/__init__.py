"""Pages and JSON API: thin skins over workflow and projections."""
