"""`concordat rules`: why a motion passed or failed, and what would have changed it."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

import click

from client.cli.edge import show
from client.cli.options import EXISTING_FILE, JSON
from client.encodings import jcs
from client.encodings.errors import Refused
from client.errors import Negative, UserError

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.evaluation import Outcome
    from auditor.margins import Margin
    from auditor.tally_file import TallyFile
    from client.encodings.motion import Motion


@click.group(name="rules")
def group() -> None:
    """Rules of motions: evaluate."""


@group.command("evaluate")
@click.option(
    "--rules", "rules_file", type=EXISTING_FILE, required=True, help="Rules, a motion, or a record."
)
@click.option(
    "--tally", "tally_file", type=EXISTING_FILE, required=True, help="Ballots or figures (docs/rules.md)."
)
@click.option("--motion", "name", help="Which of the record's motions.")
@JSON
def evaluate_command(rules_file: Path, tally_file: Path, name: str | None, as_json: bool) -> None:
    """Apply a motion's rules to a tally: exit 0 if it passed, 1 if not."""
    from auditor.tally_file import parse_roll, parse_rules_file, parse_tally  # noqa: PLC0415  help is quick

    value = _read(tally_file)
    try:
        roll = parse_roll(value.get("roll") if isinstance(value, dict) else None)
        motion = parse_rules_file(_read(rules_file), roll, name)
    except (ValueError, Refused) as error:
        raise UserError(f"{rules_file} with the roll of {tally_file}: {error}") from error
    try:
        tally = parse_tally(value, motion)
    except (ValueError, Refused) as error:
        raise UserError(f"{tally_file}: {error}") from error
    found = evaluate(motion, tally)
    show(found, as_json=as_json, text=_text(found))
    if not found["passed"]:
        raise Negative(f"{motion.id} did not pass")


def evaluate(motion: Motion, tally: TallyFile) -> dict[str, Any]:
    """Return `passed`, `tests`, `margin`; of an election `election`, and `disputed` where claims are."""
    from auditor.evaluation import apply_tests, compared, decide  # noqa: PLC0415  as above
    from auditor.margins import margin  # noqa: PLC0415  as above
    from auditor.motion_margins import margin_of  # noqa: PLC0415  as above
    from auditor.weights import Weights  # noqa: PLC0415  as above

    poll = tally.whole
    decision = decide(motion, poll, tally.classes)
    found: dict[str, Any] = {"passed": decision["passed"]}
    if motion.election is None:
        outcomes = apply_tests(motion, poll, tally.classes, poll.favour)
        pairs = [(one, margin(one, poll, poll.favour)) for one in outcomes]
        found |= {"tests": [_test(*pair) for pair in pairs], "margin": margin_of(motion, poll, tally.classes)}
    else:
        election = decision["election"]
        for candidate, own in election["candidates"].items():
            favour = poll.choices.get(candidate, Weights())
            outcomes = apply_tests(motion, poll, tally.classes, favour)
            own["tests"] = [_test(one, margin(one, poll, favour)) for one in outcomes]
        found |= {"tests": [], "margin": margin_of(motion, poll, tally.classes), "election": election}
    if tally.undisputed is not None:
        found["disputed"] = compared(decision, decide(motion, tally.undisputed, tally.classes))
    return found


def _test(outcome: Outcome, margin: Margin) -> dict[str, Any]:
    return outcome.as_json() | {"margin": margin.as_json()}


def _read(path: Path) -> Any:
    try:
        return jcs.loads(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
    except jcs.JsonError as error:
        raise UserError(f"{path} is not JSON: {error}") from error


def _text(found: dict[str, Any]) -> str:
    from auditor.motion_margins import in_words  # noqa: PLC0415  help is quick

    lines = ["passed" if found["passed"] else "not passed"]
    lines += [_line(test) for test in found["tests"]]
    if "election" in found:
        election = found["election"]
        lines.append(f"{election['outcome']}: {', '.join(election['elected']) or 'nobody'}")
        lines += [f"level at the last seat: {', '.join(election['tied'])}"] if election["tied"] else []
        for name, own in election["candidates"].items():
            lines += [f"{name}:", *(f"  {_line(test)}" for test in own["tests"])]
    if (changed := in_words(found["margin"], election="election" in found)) is not None:
        lines.append(changed)
    if found.get("disputed", {}).get("tipped"):
        lines.append("the disputed claims tipped it")
    return "\n".join(lines)


def _line(test: dict[str, Any]) -> str:
    return (
        f"{test['name']} ({test['scope']}): {test['numerator']:,} of {test['denominator']:,} {test['unit']}, "
        f"{test['required']:,} required: {'yes' if test['passed'] else 'no'}"
    )
