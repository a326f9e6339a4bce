"""Meetings: from a roll and motions to a frozen record, its steps, and its result."""
