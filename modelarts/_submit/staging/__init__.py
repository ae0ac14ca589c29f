"""Local code and data: which files are uploaded, and to which path."""
