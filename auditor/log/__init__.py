"""The transparency log: which ballots the Regulator's verifier accepted, as a tree that only grows.

`docs/transparency.md` is the normative description. `tree`, `proofs`, `leaf`, `head`, `receipt` and
`contradiction` are pure; `service_db` keeps leaves, nodes and heads; `publish` and `current` are
where a verified chain becomes a signed head.
"""
