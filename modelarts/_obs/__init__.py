"""Buckets: paths in them, and the places that hold them."""
