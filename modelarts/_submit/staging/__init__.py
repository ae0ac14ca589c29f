"""Local code and data: which files are uploaded, and where they lie in a bucket."""
