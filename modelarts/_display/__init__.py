"""What users see: progress, logs, failures; plain text on terminals, HTML in notebooks."""
