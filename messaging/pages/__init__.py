"""Pages of messaging in the browser."""
