"""`concordat audit head|anchor|proof|consistency|leaves|trust`: the transparency log's commands."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from client.cli.edge import show
from client.cli.options import FILE, JSON
from client.connection import Profile
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.log.head import SignedHead
    from auditor.log.service_db import LogBook, ServiceDatabase


@click.command()
@click.argument("meeting")
@click.option("--sign", is_flag=True, help="Verify the chain first, log its ballots, sign a new head.")
@click.option("--out", type=FILE, help="Write the head's file there, certificates included.")
@JSON
def head(meeting: str, out: Path | None, *, sign: bool, as_json: bool) -> None:
    """Show a meeting's newest signed tree head; with --sign make it.

    Exit 0: done. 1: the chain did not verify, or the head would contradict the last one.
    2: could not be done.
    """
    with _database() as database:
        signed = _sign(database, meeting) if sign else _newest(database, meeting)
    if out is not None:
        write(out, signed.encode())
    content = signed.head
    value = {
        **content.as_json(),
        "head": signed.compact,
        "certificates": signed.certificates_json(),
    }
    text = (
        f"{content.mtg}: {content.size} ballots, root {value['root']}\n"
        f"up to block {content.block} of {content.channel} ({content.block_hash}), signed {content.time}"
    )
    show(value, as_json=as_json, text=text)


@click.command()
@click.argument("meeting")
@click.option(
    "--database",
    envvar="CONCORDAT_DATABASE_URL",
    help="URL of the platform's database; default: the SQLite file in the state folder.",
)
@click.option("--report", required=True, type=FILE, help="Write the report there, as .json and as .html.")
@JSON
def anchor(meeting: str, database: str | None, report: Path, *, as_json: bool) -> None:
    """Audit a meeting, sign the head over its ballots, and anchor both on its channel.

    Exit 0: anchored as consistent. 1: anchored as inconsistent; or not anchored, since the chain did not
    verify and no head is signed over it. 2: could not be done.
    """
    from client.cli.audit_anchor import anchor_audit  # noqa: PLC0415  gRPC and SQL only where needed

    with _database() as log:
        anchored, tx = anchor_audit(
            meeting, database or f"sqlite:///{home() / 'platform.db'}", report, lambda: _sign(log, meeting)
        )
    text = f"{meeting}: {anchored.verdict}, {anchored.size} ballots, root {anchored.root}: transaction {tx}"
    show({**anchored.as_json(), "tx": tx}, as_json=as_json, text=text)
    if anchored.verdict != "consistent":
        raise Negative(f"meeting {meeting} is anchored as {anchored.verdict}")


@click.command()
@click.argument("meeting")
@click.option("--ballot", required=True, help="The ballot's digest.")
@click.option("--receipt", type=FILE, help="The ballot's receipt, to be made an audited one.")
@click.option("--record", type=FILE, help="The meeting's record (JSON). Default: from this platform.")
@click.option("--out", type=FILE, help="Write the audited receipt there; needs --receipt.")
@JSON
def proof(
    meeting: str, ballot: str, receipt: Path | None, record: Path | None, out: Path | None, *, as_json: bool
) -> None:
    """Prove that the log of the newest head has a ballot; with --receipt and --out make an audited receipt.

    Exit 0: it has. 1: it has not. 2: could not be done.
    """
    if (receipt is None) != (out is None):
        raise UserError("--receipt and --out go together: the one is wrapped, the other written")
    from auditor.log.errors import LogRefused  # noqa: PLC0415  gRPC and SQL only where needed
    from client.encodings import base64url, jcs  # noqa: PLC0415

    with _database() as database:
        signed = _newest(database, meeting)
        with _book(database, meeting) as book:
            found = book.find(ballot)
            if found is None or found.index >= signed.head.size:
                raise LogRefused("LOG_ABSENT", ballot)
            path = book.tree().inclusion(found.index, signed.head.size)
    if receipt is not None and out is not None:
        from client.cli.audited_receipt import wrap  # noqa: PLC0415

        write(out, wrap(receipt, record, signed, found, path))
    value = {
        "leaf": jcs.loads(found.leaf.encode()),
        "index": found.index,
        "size": signed.head.size,
        "path": [base64url.encode(node) for node in path],
        "head": signed.compact,
        "certificates": signed.certificates_json(),
    }
    text = (
        f"ballot {ballot} is leaf {found.index} of {signed.head.size}: block {found.leaf.block}, "
        f"transaction {found.leaf.tx}"
    )
    show(value, as_json=as_json, text="\n".join([text, *value["path"]]))


@click.command()
@click.argument("meeting")
@click.option("--from", "first", required=True, type=click.IntRange(0), help="The earlier size.")
@click.option("--to", "second", required=True, type=click.IntRange(0), help="The later size.")
@JSON
def consistency(meeting: str, first: int, second: int, *, as_json: bool) -> None:
    """Prove that the log of one size begins the log of a later size.

    Exit 0: here is the proof. 1: the log has no such sizes. 2: could not be done.
    """
    from client.encodings import base64url  # noqa: PLC0415

    with _database() as database, _book(database, meeting) as book:
        tree = book.tree()
        path = [base64url.encode(node) for node in tree.consistency(first, second)]
        roots = {"from_root": tree.root(first), "to_root": tree.root(second)}
    encoded = {name: base64url.encode(root) for name, root in roots.items()}
    value = {"mtg": meeting, "from": first, "to": second, **encoded, "path": path}
    text = f"{first}: {encoded['from_root']}\n{second}: {encoded['to_root']}"
    show(value, as_json=as_json, text="\n".join([text, *path]))


@click.command()
@click.argument("meeting")
@click.option("--block", required=True, type=click.IntRange(0), help="The number of the block.")
@click.option("--size", type=click.IntRange(0), help="The log's size. Default: the newest head's.")
def leaves(meeting: str, block: int, size: int | None) -> None:
    """Print a block's leaves and their two neighbours, each with its path: shows what is missing, too."""
    from auditor.log.extract import extract_block  # noqa: PLC0415

    with _database() as database:
        reached = _newest(database, meeting).head.size if size is None else size
        with _book(database, meeting) as book:
            click.echo(extract_block(book, block, reached).encode())


@click.command()
@click.option("--out", type=FILE, help="Write the trust file there.")
def trust(out: Path | None) -> None:
    """Print what an offline verifier has to trust: this network's genesis hashes and the Regulator's CA.

    Compare it with what the Regulator published before you rely on it.
    """
    from auditor.log.trust import TrustRoot, fingerprint  # noqa: PLC0415
    from client.encodings import jcs  # noqa: PLC0415

    profile = Profile.load(home())
    roots = frozenset(fingerprint(one) for one in _regulator(profile).roots)
    genesis = {name: channel.genesis for name, channel in profile.channels.items()}
    document = jcs.dumps(TrustRoot(genesis, roots).as_json())
    if out is not None:
        write(out, document)
    click.echo(document)


def add_to(group: click.Group) -> None:
    """Add the log's commands to `concordat audit`."""
    for command in (head, anchor, proof, consistency, leaves, trust):
        group.add_command(command)


def write(path: Path, data: bytes) -> None:
    """Write a file; raise UserError where it can't be."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error.strerror}") from error


@contextmanager
def _database() -> Iterator[ServiceDatabase]:
    from auditor.log.service_db import ServiceDatabase, database_url  # noqa: PLC0415

    database = ServiceDatabase.open(database_url(home()))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _book(database: ServiceDatabase, meeting: str) -> Iterator[LogBook]:
    from auditor.log.service_db import LogBook  # noqa: PLC0415

    with database.read() as connection:
        yield LogBook(connection, meeting)


def _newest(database: ServiceDatabase, meeting: str) -> SignedHead:
    with _book(database, meeting) as book:
        signed = book.last_head()
    if signed is None:
        raise UserError(f"no head of meeting {meeting!r} was signed yet: run `concordat audit head … --sign`")
    return signed


def _sign(database: ServiceDatabase, meeting: str) -> SignedHead:
    from auditor.log.current import publish_current  # noqa: PLC0415
    from auditor.source import OwnPeer  # noqa: PLC0415
    from client.cli.audit_identity import auditor_identity  # noqa: PLC0415
    from client.platform.times import now, to_text  # noqa: PLC0415

    own = auditor_identity()
    with own.profile.gateway(own.roots.offices.regulator, "auditor") as gateway:
        return publish_current(
            OwnPeer(gateway), own.roots, meeting, database, own.signer, own.regulator, now=to_text(now())
        )


def _regulator(profile: Profile) -> Any:
    from cryptography import x509  # noqa: PLC0415

    from auditor.members import Organisation  # noqa: PLC0415
    from auditor.replay.authority import Offices  # noqa: PLC0415

    msp = Offices().regulator
    root = x509.load_pem_x509_certificate(profile.org(msp).roots["identity"].read_bytes())
    return Organisation(msp, (root,))
