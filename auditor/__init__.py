"""The independent verification service: trusts genesis hashes and its own peer, nothing else."""
