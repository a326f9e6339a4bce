"""The verifier in one file: receipts, audited receipts, heads and evidence, checked with any Python."""
