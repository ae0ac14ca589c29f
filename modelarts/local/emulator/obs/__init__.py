"""The part of OBS that sessions use, over the folders that are the buckets of this machine."""
