"""What `shift` puts in the place of functions of Python, and how."""
