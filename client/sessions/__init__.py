"""Identity sessions: one passed check, on the channel before the choices are shown."""

from __future__ import annotations

from client.sessions.insecure import InsecureDemoChecks
from client.sessions.recorder import RecordedSession, SessionRecorder

__all__ = ["InsecureDemoChecks", "RecordedSession", "SessionRecorder"]
