"""batch.json: whole batches in CBOR, read or refused, as a whole or entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cbor2

from client.encodings.batch import MAX_BATCH, Entry, encode_batch, encode_entry
from tests.vectors.cases import Author, kind_of
from tests.vectors.scene import scenes

if TYPE_CHECKING:
    from collections.abc import Iterator


def batch() -> dict[str, Any]:
    """Return the file's value.

    `entries` of an accepted batch has, entry by entry, `compact`, `raw` or the code that
    the entry gets. `oversize` is a rule, not bytes: how to pad a batch beyond the limit.
    """
    return {
        "v": 1,
        "accept": list(_accept()),
        "reject": list(_reject()),
        "duplicates": _duplicates(),
        "oversize": {"limit": MAX_BATCH, "code": "BATCH_TOO_LARGE"},
    }


def _authors() -> list[Author]:
    scene = scenes()["plain"]
    return [Author(scene, lender) for lender in scene.lenders.values()]


def _special() -> Author:
    scene = scenes()["special"]
    return Author(scene, scene.lenders["bo"], "special")


def _accept() -> Iterator[dict[str, Any]]:
    mtg = scenes()["plain"].meeting.mtg
    authors = _authors()
    compact: list[Entry] = [author.compact() for author in authors]
    raw: list[Entry] = [author.raw(author.good()) for author in authors]
    for name, entries in (
        ("one compact entry", compact[:1]),
        ("one raw entry", raw[:1]),
        ("compact and raw entries", [compact[0], raw[1], *compact[2:]]),
        ("24 entries", (compact * 5)[:24]),
        ("by proxy", [authors[0].compact(prx=bytes(32)), raw[1]]),
        ("amended entries", [authors[0].amended(), authors[1].amended(prx=bytes(32)), raw[2]]),
        ("excluded and disputed", [_special().compact(), _special().compact(prx=bytes(32))]),
    ):
        yield {
            "name": name,
            "batch": encode_batch(mtg, entries).hex(),
            "mtg": mtg,
            "entries": [kind_of(entry) for entry in entries],
        }
    good = encode_entry(compact[0])
    for name, code, value in _bad_entries():
        parts = [good, cbor2.dumps(value), encode_entry(raw[1])]
        data = b"\x83\x01" + cbor2.dumps(mtg) + bytes([0x80 | len(parts)]) + b"".join(parts)
        yield {"name": name, "batch": data.hex(), "mtg": mtg, "entries": ["compact", code, "raw"]}


def _bad_entries() -> Iterator[tuple[str, str, Any]]:
    author = _authors()[1]
    compact = author.compact().as_cbor()
    raw = author.raw(author.good()).as_cbor()

    def but(value: list[Any], position: int, item: Any) -> list[Any]:
        return [*value[:position], item, *value[position + 1 :]]

    leaf = compact[9]
    yield "an entry that is an integer", "ENTRY_FORMAT", 0
    yield "an empty entry", "ENTRY_FORMAT", []
    yield "an entry nested to the eighth level", "ENTRY_FORMAT", [[[[[[]]]]]]
    by_proxy = author.compact(prx=bytes(32)).as_cbor()
    amended = author.amended().as_cbor()
    yield "an entry of an unknown kind", "ENTRY_FORMAT", but(compact, 0, 4)
    yield "a compact entry by proxy without a mandate", "ENTRY_FORMAT", but(compact, 0, 2)
    yield "a mandate in a compact entry", "ENTRY_FORMAT", but(by_proxy, 0, 0)
    yield "a mandate of 31 bytes", "ENTRY_FORMAT", but(by_proxy, 11, bytes(31))
    yield "an amended entry's mandate as text", "ENTRY_FORMAT", [*amended, "A" * 43]
    yield "an amended entry with a leaf", "ENTRY_FORMAT", but(compact, 0, 3)
    yield "an amended entry with a member less", "ENTRY_FORMAT", amended[:-1]
    yield "a compact entry with a member less", "ENTRY_FORMAT", compact[:-1]
    yield "a compact entry with a member more", "ENTRY_FORMAT", [*compact, 0]
    yield "a raw entry with a member more", "ENTRY_FORMAT", [*raw, 0]
    yield "a compact entry called raw", "ENTRY_FORMAT", but(compact, 0, 1)
    yield "a pseudonym of 15 bytes", "ENTRY_FORMAT", but(compact, 1, compact[1][:15])
    yield "a pseudonym as text", "ENTRY_FORMAT", but(compact, 1, author.lender.sub)
    yield "a session id of 17 bytes", "ENTRY_FORMAT", but(compact, 3, bytes(17))
    yield "seq as bytes", "ENTRY_FORMAT", but(compact, 2, b"\1")
    yield "iat as text", "ENTRY_FORMAT", but(compact, 4, "2026-03-03T08:29:57Z")
    yield "votes as an integer", "ENTRY_FORMAT", but(compact, 5, 0)
    yield "a vote as text", "ENTRY_FORMAT", but(compact, 5, ["approve", 0])
    yield "a vote nested twice", "ENTRY_FORMAT", but(compact, 5, [[[0]], 0])
    yield "a signature of 63 bytes", "ENTRY_FORMAT", but(compact, 6, compact[6][:63])
    yield "acknowledgement 0", "ENTRY_FORMAT", but(compact, 7, 0)
    yield "acknowledgement 2^53", "ENTRY_FORMAT", but(compact, 7, 2**53)
    yield "an acknowledgement's time as text", "ENTRY_FORMAT", but(compact, 8, "2026-03-03T08:30:00Z")
    yield "a leaf of two members", "ENTRY_FORMAT", but(compact, 9, leaf[:2])
    yield "a leaf's salt of 15 bytes", "ENTRY_FORMAT", but(compact, 9, but(leaf, 1, bytes(15)))
    yield "a claim of three members", "ENTRY_FORMAT", but(compact, 9, but(leaf, 2, [[0, 1, 2]]))
    yield "a decision of 31 bytes", "ENTRY_FORMAT", but(compact, 9, but(leaf, 2, [[0, 1, bytes(31)]]))
    yield "a claim of four members", "ENTRY_FORMAT", but(compact, 9, but(leaf, 2, [[0, 1, bytes(32), 0]]))
    yield "no motion excluded, but written", "ENTRY_FORMAT", but(compact, 9, [*leaf, []])
    yield "a motion excluded as text", "ENTRY_FORMAT", but(compact, 9, [*leaf, ["m1"]])
    yield "a leaf of five members", "ENTRY_FORMAT", but(compact, 9, [*leaf, [0], 0])
    yield "a proof's hash of 31 bytes", "ENTRY_FORMAT", but(compact, 10, [bytes(31)])
    yield "a proof as bytes", "ENTRY_FORMAT", but(compact, 10, bytes(32))
    yield "raw: a JWS as bytes", "ENTRY_FORMAT", but(raw, 1, raw[1].encode())
    yield "raw: a leaf as text", "ENTRY_FORMAT", but(raw, 2, raw[2].decode())
    yield "raw: a proof's hash of 33 bytes", "ENTRY_FORMAT", but(raw, 4, [bytes(33)])
    yield "raw: acknowledgement 0", "ENTRY_FORMAT", but(raw, 5, 0)
    yield "an entry of 4,097 bytes", "ENTRY_TOO_LARGE", _sized(raw, 4097)
    yield "an entry too large and of a wrong form", "ENTRY_TOO_LARGE", [7, bytes(5000)]


def _sized(raw: list[Any], size: int) -> list[Any]:
    value = [*raw[:4], [bytes(32)] * 60, *raw[5:]]
    value[2] = b""
    return [*value[:2], bytes(size - len(cbor2.dumps(value)) - 2), *value[3:]]


def _reject() -> Iterator[dict[str, Any]]:
    mtg = scenes()["plain"].meeting.mtg
    entry = _authors()[0].compact()
    one = encode_entry(entry)
    good = encode_batch(mtg, [entry])
    head = b"\x83\x01" + cbor2.dumps(mtg)
    name_bytes = mtg.encode()
    sub, rest = one[2:19], one[19:]  # the pseudonym with its head; from seq on
    for name, code, data in (
        ("nothing", "BATCH_FORMAT", b""),
        ("no CBOR", "BATCH_FORMAT", b"\xff"),
        ("JSON", "BATCH_FORMAT", b'[1,"2026-exit-a",[]]'),
        ("cut short", "BATCH_FORMAT", good[:-1]),
        ("a byte too many", "BATCH_FORMAT", good + b"\0"),
        ("two batches", "BATCH_FORMAT", good + good),
        ("version 2", "BATCH_FORMAT", b"\x83\x02" + good[2:]),
        ("version -1", "BATCH_FORMAT", b"\x83\x20" + good[2:]),
        ("a version of two bytes", "BATCH_FORMAT", b"\x83\x18\x01" + good[2:]),
        ("an array's length of two bytes", "BATCH_FORMAT", b"\x98\x03" + good[1:]),
        (
            "the meeting's length of two bytes",
            "BATCH_FORMAT",
            b"\x83\x01\x78" + bytes([len(mtg)]) + name_bytes + b"\x81" + one,
        ),
        ("the meeting as bytes", "BATCH_FORMAT", b"\x83\x01" + cbor2.dumps(name_bytes) + b"\x81" + one),
        ("the meeting not in UTF-8", "BATCH_FORMAT", b"\x83\x01\x61\xff\x81" + one),
        ("an indefinite array", "BATCH_FORMAT", head + b"\x9f" + one + b"\xff"),
        ("an indefinite text", "BATCH_FORMAT", b"\x83\x01\x7f" + cbor2.dumps(mtg) + b"\xff\x81" + one),
        (
            "an indefinite byte string",
            "BATCH_FORMAT",
            b"".join((head, b"\x81", one[:2], b"\x5f", sub, b"\xff", rest)),
        ),
        (
            "a byte string's length of two bytes",
            "BATCH_FORMAT",
            b"".join((head, b"\x81", one[:2], b"\x58\x10", sub[1:], rest)),
        ),
        ("an entry's length of two bytes", "BATCH_FORMAT", head + b"\x81\x98\x0b" + one[1:]),
        (
            "a number of two bytes",
            "BATCH_FORMAT",
            b"".join((head, b"\x81", one[:2], sub, b"\x18\x01", rest[1:])),
        ),
        (
            "a float in an entry",
            "BATCH_FORMAT",
            b"".join((head, b"\x81", one[:2], sub, b"\xf9\x3c\x00", rest[1:])),
        ),
        ("a tag on an entry", "BATCH_FORMAT", head + b"\x81\xc1" + one),
        ("a tagged batch", "BATCH_FORMAT", b"\xd9\xd9\xf7" + good),
        ("a bignum", "BATCH_FORMAT", head + b"\x81\xc2\x41\x01"),
        ("an array that contains itself", "BATCH_FORMAT", head + b"\xd8\x1c\x81\xd8\x1d\x00"),
        ("a pattern", "BATCH_FORMAT", head + b"\x81\xd8\x23\x61a"),
        ("a reference to a text", "BATCH_FORMAT", head + b"\x81\xd9\x01\x00\x82\x63abc\xd8\x19\x00"),
        ("an unknown tag", "BATCH_FORMAT", head + b"\x81\xd9\xff\xff\x00"),
        ("a map as entry", "BATCH_FORMAT", head + b"\x81\xa1\x00\x00"),
        ("true as entry", "BATCH_FORMAT", head + b"\x81\xf5"),
        ("null as entry", "BATCH_FORMAT", head + b"\x81\xf6"),
        ("a negative number in an entry", "BATCH_FORMAT", head + b"\x81\x82\x00\x20"),
        ("nested beyond any need", "BATCH_FORMAT", head + b"\x81" * 40 + b"\x00"),
        ("an entry nested to the ninth level", "BATCH_FORMAT", head + b"\x81" * 7 + b"\x80"),
        ("a length beyond the bytes", "BATCH_FORMAT", head + b"\x9a\xff\xff\xff\xff" + one),
        ("two members", "BATCH_FORMAT", b"\x82\x01" + cbor2.dumps(mtg)),
        ("four members", "BATCH_FORMAT", b"\x84" + good[1:] + b"\x00"),
        ("entries as bytes", "BATCH_FORMAT", head + cbor2.dumps(one)),
        ("an integer", "BATCH_FORMAT", b"\x01"),
        ("no meeting", "BATCH_MEETING", b"\x83\x01\x60\x81" + one),
        (
            "a meeting id in capitals",
            "BATCH_MEETING",
            b"\x83\x01" + cbor2.dumps("2026-Exit-A") + b"\x81" + one,
        ),
        (
            "a meeting id of 41 characters",
            "BATCH_MEETING",
            b"\x83\x01" + cbor2.dumps("a" * 41) + b"\x81" + one,
        ),
        ("no entries", "BATCH_EMPTY", head + b"\x80"),
        ("no entries and no meeting", "BATCH_MEETING", b"\x83\x01\x60\x80"),
    ):
        yield {"name": name, "batch": data.hex(), "code": code}


def _duplicates() -> dict[str, Any]:
    """Return a batch in which voters come twice: each voter's first entry is judged, the others refused."""
    authors = _authors()
    mtg = authors[0].scene.meeting.mtg
    forged = authors[2].raw(
        authors[2].craft(authors[2].header(), authors[2].scene.ballot(authors[2].lender).payload(), bytes(64))
    )
    entries: list[Entry] = [
        authors[0].compact(),
        authors[1].compact(),
        authors[0].compact(),
        authors[1].raw(authors[1].good()),
        forged,
        authors[2].compact(),
        authors[3].raw("x"),
        authors[3].compact(),
    ]
    return {
        "batch": encode_batch(mtg, entries).hex(),
        "verdicts": [
            "",
            "",
            "BATCH_DUPLICATE_VOTER",
            "BATCH_DUPLICATE_VOTER",
            "SIGNATURE_INVALID",
            "BATCH_DUPLICATE_VOTER",
            "JWS_FORMAT",
            "",
        ],
        "enrolments": {author.lender.sub: author.lender.enrolment().as_json() for author in authors},
        "sessions": {
            (session := author.scene.session(author.lender)).ses: session.as_json() for author in authors
        },
        "meeting": "plain",
    }
