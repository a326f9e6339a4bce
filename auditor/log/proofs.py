"""Verifying proofs of inclusion and of consistency, with nothing but hashes (RFC 9162, section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.log.errors import LogRefused
from auditor.log.tree import EMPTY_ROOT
from client.encodings import base64url, merkle
from client.encodings.ids import HASH_BYTES
from client.encodings.merkle import node_hash

if TYPE_CHECKING:
    from collections.abc import Sequence


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Refuse unless `path` shows the leaf's bytes as number `index` of `size` under `root`.

    LOG_PLACE, LOG_PATH, or LOG_ROOT with both roots. Section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise LogRefused("LOG_PLACE", f"leaf {index} of {size}")
    try:
        merkle.verify_path(merkle.leaf_hash(leaf), index=index, size=size, path=path, root=root)
    except merkle.ProofError as error:
        if not error.computed:
            raise LogRefused("LOG_PATH", f"{len(path)} hashes for leaf {index} of {size}") from error
        raise _other_root(root, error.computed) from error


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Refuse unless the tree of `first` leaves begins the tree of `second` leaves.

    LOG_SIZES, LOG_PATH, or LOG_ROOT with both roots. Section 2.1.4.2; beyond it, every tree
    continues the empty one, and equal sizes need equal roots; neither has a path.
    """
    if not 0 <= first <= second:
        raise LogRefused("LOG_SIZES", f"from {first} to {second}")
    for size, root in ((first, first_root), (second, second_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise _other_root(EMPTY_ROOT, root)
    if first in (0, second):
        if path:
            raise LogRefused("LOG_PATH", f"{len(path)} hashes where none are due")
        if first and first_root != second_root:
            raise _other_root(first_root, second_root)
        return
    _verify_growth(first, second, first_root, second_root, path)


def _verify_growth(
    first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> None:
    if not path or any(len(node) != HASH_BYTES for node in path):  # step 1
        raise LogRefused("LOG_PATH", f"{len(path)} hashes from {first} to {second}")
    nodes = [first_root, *path] if first & (first - 1) == 0 else list(path)  # step 2
    inner, last = first - 1, second - 1  # step 3
    while inner % 2:  # step 4
        inner >>= 1
        last >>= 1
    older = newer = nodes[0]  # step 5
    for node in nodes[1:]:  # step 6
        if last == 0:
            raise LogRefused("LOG_PATH", f"too long from {first} to {second}")
        if inner % 2 or inner == last:
            older, newer = node_hash(node, older), node_hash(node, newer)
            while inner and inner % 2 == 0:
                inner >>= 1
                last >>= 1
        else:
            newer = node_hash(newer, node)
        inner >>= 1
        last >>= 1
    if last:  # step 7
        raise LogRefused("LOG_PATH", f"too short from {first} to {second}")
    if older != first_root:
        raise _other_root(first_root, older)
    if newer != second_root:
        raise _other_root(second_root, newer)


def _other_root(expected: bytes, found: bytes) -> LogRefused:
    return LogRefused("LOG_ROOT", expected=base64url.encode(expected), found=base64url.encode(found))
