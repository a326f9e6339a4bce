"""Concordat's encodings: every byte that is signed, hashed or put on a channel.

Pure: nothing here reads a clock, a file or a socket. Parsing either yields an immutable
value that is valid ever after, or raises `Refused` with a code of the registry.
`docs/encodings.md` is the normative description; `tests/vectors/` fixes it for Go and
Python both.
"""
