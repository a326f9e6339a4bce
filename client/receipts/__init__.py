"""Receipts: made by the platform once a ballot is committed, verified by anybody, anywhere."""

from __future__ import annotations

from client.receipts.make import ReceiptOffice
from client.receipts.verify import verify

__all__ = ["ReceiptOffice", "verify"]
