"""A simulator of extensions: it speaks HTTP only, keeps a pretended WhatsApp, and is killed wherever it hurts.

Real web, worker and beat processes on a PostgreSQL of their own; browsers as
processes, each with several instances; faults at named points on both sides
(docs/adr/0030-simulator.md). `python -m waplus.tests.simulator` runs the large
one and prints the table of points and counts; a small one is a test.
"""
