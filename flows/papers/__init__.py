"""From the world's lists to papers. Read `model`, then `sources/`, `fetch`, `merge`."""
