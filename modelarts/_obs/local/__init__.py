"""Buckets that are folders of this machine."""
