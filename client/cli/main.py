"""The `concordat` command: lazily loaded groups, and the edge where errors become exit codes."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import TYPE_CHECKING

import click

from client.errors import ConcordatError, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

# name -> (module, one line of help); a module is imported only when its command runs,
# so `concordat roll …` never pays for OpenCV or gRPC.
COMMANDS = {
    "network": ("client.cli.network", "Run the development network: up, down, status, env, compose."),
    "roll": ("client.cli.roll", "Registers of claims: import, correct, check, compare, countersign, prove."),
    "meeting": ("client.cli.meeting", "Propose, confirm and follow meetings."),
    "amendment": ("client.cli.amendment", "Amend a meeting's frozen roll: propose, confirm, show."),
    "ballot": ("client.cli.ballot", "Enrol with the lender CA, cast a ballot, see its history."),
    "mandate": (
        "client.cli.mandate",
        "Let another cast one's ballot: sign, record, revoke, show, lawyers.",
    ),
    "objection": ("client.cli.objection", "Object to something about a meeting: file, answer, decide, show."),
    "relay": ("client.cli.relay", "Carry acknowledged ballots to the channel: run."),
    "rules": ("client.cli.rules", "Why a motion passes, and what would change it: evaluate."),
    "receipt": ("client.cli.receipt", "Verify a lender's receipt."),
    "head": ("client.cli.head", "Verify a signed tree head."),
    "report": ("client.cli.report", "Verify a signed report of an audit."),
    "evidence": ("client.cli.evidence", "Evidence packages of ballots: export, verify."),
    "face": ("client.cli.face", "Compare faces."),
    "identity": ("client.cli.identity_service", "The identity service: serve, reviews, slots, retention."),
    "audit": ("client.cli.audit", "Verify a meeting from the chain and reconcile the platform."),
    "demo": ("client.cli.demo", "One whole meeting, from roll to verified report."),
    "bench": ("client.cli.bench", "Benchmarks that print JSON."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the flow."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command named, or None where there is none."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(entry[0]).group
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their help, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[1]) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup)
@click.option("-v", "--verbose", count=True, help="More log lines on stderr (twice: debug).")
def cli(verbose: int) -> None:
    """Verifiable creditors' voting on Hyperledger Fabric."""
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")


def exit_code_of(error: Exception) -> int | None:
    """Return the exit code for an error meant for people, None for a defect of ours.

    Packages that know nothing of Concordat (gateway, CA) are named only here, at the edge.
    """
    if isinstance(error, ConcordatError):
        return error.exit_code
    if "client.gateway" in str(type(error).__module__) or "client.ca" in str(type(error).__module__):
        return OutcomeUnknown.exit_code if getattr(error, "outcome_unknown", False) else 2
    if isinstance(error, BrokenPipeError):
        return 2
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        sys.stderr.write("concordat: interrupted\n")
        return 130
    except Exception as error:
        code = exit_code_of(error)
        if code is None:
            logging.getLogger(__name__).info("where it happened", exc_info=error)
            sys.stderr.write(
                f"concordat: a defect of ours ({type(error).__name__}); the outcome is unknown, "
                "`concordat -v …` shows where it happened\n"
            )
            return OutcomeUnknown.exit_code
        sys.stderr.write(f"concordat: {' '.join(str(error).split())}\n")
        return code
    return 0


def run() -> None:
    """Console entry point."""
    sys.exit(main())


if __name__ == "__main__":
    run()
