"""merkle.json: trees of every small size, their caps and paths, and paths that prove nothing."""

from __future__ import annotations

from typing import Any

from client.encodings.merkle import Tree, cap_height, leaf_hash

SIZES = (*range(1, 18), 31, 33, 40)


def leaves(size: int) -> list[bytes]:
    """Return the leaves of the tree of a size: the ASCII `leaf 0`, `leaf 1` and so on."""
    return [f"leaf {number}".encode() for number in range(size)]


def _tree(size: int) -> dict[str, Any]:
    tree = Tree(leaf_hash(leaf) for leaf in leaves(size))
    height = size.bit_length()
    chosen = sorted({0, size // 3, size // 2, size - 1})
    return {
        "size": size,
        "root": tree.root.hex(),
        "caps": [[node.hex() for node in tree.cap(level)] for level in range(height + 1)],
        "paths": [{"index": index, "path": [node.hex() for node in tree.path(index)]} for index in chosen],
        "run_paths": [
            {"index": index, "height": level, "path": [node.hex() for node in tree.run_path(index, level)]}
            for index in chosen
            for level in range(height + 1)
        ],
    }


def _reject() -> list[dict[str, Any]]:
    size = 13
    tree = Tree(leaf_hash(leaf) for leaf in leaves(size))
    path = tree.path(5)
    last = tree.path(12)
    flipped = (bytes([path[0][0] ^ 1]) + path[0][1:], *path[1:])
    vectors = (
        ("another leaf", 6, 5, size, path),
        ("another index", 5, 4, size, path),
        ("another size", 5, 5, 6, path),
        ("an index beyond the tree", 5, 13, size, path),
        ("a path too short", 5, 5, size, path[:-1]),
        ("a path too long", 5, 5, size, (*path, path[0])),
        ("no path", 5, 5, size, ()),
        ("a path in reverse", 5, 5, size, path[::-1]),
        ("a bit flipped", 5, 5, size, flipped),
        ("a hash too short", 5, 5, size, (path[0][:31], *path[1:])),
        ("the last leaf with another's path", 12, 12, size, path),
        ("the last leaf's path for another", 5, 5, size, last),
        ("a path in a tree of one", 0, 0, 1, path[:1]),
    )
    return [
        {
            "name": name,
            "leaf": leaf_hash(leaves(size)[leaf]).hex(),
            "index": index,
            "size": claimed,
            "path": [node.hex() for node in proof],
            "root": tree.root.hex(),
        }
        for name, leaf, index, claimed, proof in vectors
    ]


def merkle() -> dict[str, Any]:
    """Return the file's value."""
    sizes = (1, 2, 32_767, 32_768, 32_769, 65_536, 65_537, 131_072, 131_073, 390_000, 1_000_000)
    return {
        "v": 1,
        "leaf": "the ASCII text `leaf N`, N counting from 0",
        "trees": [_tree(size) for size in SIZES],
        "reject": _reject(),
        "cap_heights": [
            {"size": size, "height": cap_height(size), "root": (size - 1).bit_length()} for size in sizes
        ],
    }
