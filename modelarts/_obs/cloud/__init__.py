"""Buckets in the cloud."""
