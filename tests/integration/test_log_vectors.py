"""The log's tree against transparency-dev/merkle, in Go: its vectors, its proofs, its verdict on ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.log.errors import LogRefused
from auditor.log.proofs import verify_consistency, verify_inclusion
from auditor.log.tree import LogTree, MemoryNodes
from client.encodings.merkle import leaf_hash

MODULE = Path(__file__).parent / "merklevectors"
LEAVES = [bytes([number, 7]) * (number % 3) for number in range(40)]
pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="Go is needed for the outside library")


def ask(**claims: Any) -> dict[str, Any]:
    done = subprocess.run(
        ["go", "run", "."],
        cwd=MODULE,
        input=json.dumps({"leaves": [leaf.hex() for leaf in LEAVES], **claims}),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def tree() -> LogTree:
    made = LogTree(MemoryNodes())
    made.extend(leaf_hash(leaf) for leaf in LEAVES)
    return made


@pytest.fixture(scope="module")
def outside() -> dict[str, Any]:
    return ask()


def test_the_published_vectors(outside: dict[str, Any]) -> None:
    made = LogTree(MemoryNodes())
    roots = [made.root().hex()]
    for leaf in outside["known_leaves"]:
        made.extend([leaf_hash(bytes.fromhex(leaf))])
        roots.append(made.root().hex())
    assert roots == outside["known_roots"]
    assert len(roots) == 9


def test_roots_and_proofs_are_the_same_at_every_size(tree: LogTree, outside: dict[str, Any]) -> None:
    assert [tree.root(size).hex() for size in range(tree.size + 1)] == outside["roots"]
    assert len(outside["inclusion"]) == len(LEAVES) * (len(LEAVES) + 1) // 2
    for one in outside["inclusion"]:
        path = [node.hex() for node in tree.inclusion(one["index"], one["size"])]
        assert path == (one["path"] or [])
    for one in outside["consistency"]:
        path = [node.hex() for node in tree.consistency(one["first"], one["second"])]
        assert path == (one["path"] or [])


def test_its_proofs_verify_here(outside: dict[str, Any]) -> None:
    roots = [bytes.fromhex(root) for root in outside["roots"]]
    for one in outside["inclusion"]:
        path = [bytes.fromhex(node) for node in one["path"] or []]
        index, size = one["index"], one["size"]
        verify_inclusion(LEAVES[index], index=index, size=size, path=path, root=roots[size])
    for one in outside["consistency"]:
        path = [bytes.fromhex(node) for node in one["path"] or []]
        first, second = one["first"], one["second"]
        verify_consistency(
            first=first, second=second, first_root=roots[first], second_root=roots[second], path=path
        )


def test_our_proofs_verify_there_and_altered_ones_nowhere(tree: LogTree) -> None:
    """Each claim is made once as it is and once with a bit of its path changed."""
    inclusion: list[dict[str, Any]] = []
    consistency: list[dict[str, Any]] = []
    for size in range(2, tree.size + 1):
        for index in range(size):
            path = [node.hex() for node in tree.inclusion(index, size)]
            good: dict[str, Any] = {"index": index, "size": size, "leaf": LEAVES[index].hex(), "path": path}
            inclusion.append({**good, "root": tree.root(size).hex()})
            inclusion.append({**good, "root": tree.root(size).hex(), "path": flipped(path, index)})
        for first in range(1, size):
            path = [node.hex() for node in tree.consistency(first, size)]
            roots = {"first_root": tree.root(first).hex(), "second_root": tree.root(size).hex()}
            claim = {"first": first, "second": size, "path": path, **roots}
            consistency += [claim, {**claim, "path": flipped(path, first)}]
    answer = ask(inclusion=inclusion, consistency=consistency)
    assert answer["refused_inclusion"] == list(range(1, len(inclusion), 2))
    assert answer["refused_consistency"] == list(range(1, len(consistency), 2))
    for altered in inclusion[1::2]:
        with pytest.raises(LogRefused):
            verify_inclusion(
                bytes.fromhex(altered["leaf"]),
                index=altered["index"],
                size=altered["size"],
                path=[bytes.fromhex(node) for node in altered["path"]],
                root=bytes.fromhex(altered["root"]),
            )


def flipped(path: list[str], number: int) -> list[str]:
    place = number % len(path)
    node = bytearray.fromhex(path[place])
    node[number % 32] ^= 1
    return [*path[:place], node.hex(), *path[place + 1 :]]
