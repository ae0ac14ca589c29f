"""What answers each route: one module for each resource. Handlers know neither SQL nor processes."""
