"""The demo workspace: a small shop's CRM with everything in it, made by services and the same on every machine."""
