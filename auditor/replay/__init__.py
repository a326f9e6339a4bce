"""Replay: what each transaction must have answered and written, worked out again in Python."""
