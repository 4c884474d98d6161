"""The product as it runs: web, worker and beat as processes of their own, spoken to over HTTP, and killed."""
