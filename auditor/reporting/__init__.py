"""Reports of an audit: JSON for machines, HTML and PDF for people, one detached signature over the three.

Everything in a report follows from the chain and from the snapshot of the platform's database: no clock, no
path, no duration. The same two give the same bytes (docs/reports.md).
"""
