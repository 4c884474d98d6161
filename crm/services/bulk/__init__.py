"""Bulk actions: `starting` takes them on, `running` works them off chunk by chunk, `effects` is what each does."""
