"""Mandates: a lender lets another cast its ballot, and takes that back."""

from __future__ import annotations

from client.mandates.channel import ChannelMandates
from client.mandates.recorder import MandateRecorder

__all__ = ["ChannelMandates", "MandateRecorder"]
