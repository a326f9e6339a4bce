"""`make demo`: one whole meeting on a real network, from a CSV register to a verified report."""
