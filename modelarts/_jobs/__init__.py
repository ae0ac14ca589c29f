"""Jobs that exist: following them, listing them."""
