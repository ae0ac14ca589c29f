"""One HTTP stack: repeats, deadlines, proxies, certificates, and responses."""
