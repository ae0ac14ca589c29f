"""The REST API of the local service."""
