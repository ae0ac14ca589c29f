"""The API as a session calls it: requests and replies, and the ids behind names."""
