"""The terms of the identity service, known to all its parts: refusal codes, policy, what a check binds."""
