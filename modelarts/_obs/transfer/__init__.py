"""Parallel, resumable uploads and downloads."""
