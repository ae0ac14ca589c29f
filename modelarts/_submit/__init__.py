"""From the user's arguments to a created job."""
