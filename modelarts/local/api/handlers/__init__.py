"""The handlers of the routes, one module for each resource. They contain neither SQL nor processes."""
