"""Benchmarks: commands that measure on a real network and print JSON. Nothing else imports this package."""
