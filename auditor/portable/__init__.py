"""Signatures and certificates in pure Python, for the verifier in one file, by `cryptography`'s names.

The verifying code asks `cryptography` for a few classes. Where only pure Python runs, `install` puts these in
their place, over `ecdsa` and `asn1crypto`. Both implementations are held to the same tests.
"""
