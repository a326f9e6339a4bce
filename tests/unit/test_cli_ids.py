"""Pseudonyms and other random ids that begin with a hyphen are arguments, and no options, everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from client.cli.main import cli, main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDS = {"sub", "case", "digest", "principal", "session", "ses", "objection"}
"""The names of arguments that are random ids."""


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


def ids_of(command: click.Command) -> list[str]:
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    return [one.name for one in arguments if one.name in IDS]


TAKING = [(name, command) for name, command in commands(cli) if ids_of(command)]


def test_there_are_such_commands() -> None:
    names = {name for name, _ in TAKING}
    assert {"ballot enrol", "ballot history", "mandate show", "identity invite"} <= names


@pytest.mark.parametrize("begins", ["-a", "-v", "--", "--json"])
@pytest.mark.parametrize(("name", "command"), TAKING, ids=[name for name, _ in TAKING])
def test_an_id_that_begins_with_hyphens_is_an_argument(
    name: str, command: click.Command, begins: str, tmp_path: Path
) -> None:
    given = begins.ljust(22, "A")
    file = tmp_path / "file"
    file.touch()
    arguments = []
    for one in command.params:
        if isinstance(one, click.Argument):
            other = one.type.choices[0] if isinstance(one.type, click.Choice) else str(file)
            arguments.append(given if one.name in IDS else other)
    context = command.make_context(name, arguments, resilient_parsing=True)
    assert [context.params[one] for one in ids_of(command)] == [given] * len(ids_of(command))


@pytest.mark.parametrize("arguments", [("ballot", "history", "m-1"), ("mandate", "show", "m-1")])
def test_an_option_that_does_not_exist_is_still_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "A" * 22, "--jsn"]) == 2
    assert "--jsn" in capsys.readouterr().err
