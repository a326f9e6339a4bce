"""The identity service's surroundings on this platform: ledger, recorder, register, enrolment."""
