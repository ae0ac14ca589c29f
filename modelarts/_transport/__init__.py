"""One HTTP stack: repeats, deadlines, proxies, certificates, and what an answer means."""
