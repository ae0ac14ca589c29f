"""Buckets in the cloud and on this machine: paths, listing, uploads and downloads."""
