"""The documents name only what exists: make targets, commands, folders, links, and decisions by number."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from client import errors
from client.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda path: path.relative_to(ROOT).as_posix()
)
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
NOT_SOURCE = {"var", "build", "dist", "node_modules"}

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def commands_in(text: str, program: str) -> list[list[str]]:
    """Return the words after the program's name in inline code and at the start of lines of code blocks."""
    lines = [line.strip() for block in FENCED.findall(text) for line in block.splitlines()]
    spans = [*CODE.findall(FENCED.sub("", text)), *lines]
    found = (re.match(rf"(?:\.venv/bin/)?{program} (.+)", span) for span in spans)
    return [match.group(1).split() for match in found if match]


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_documents_are_there() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/index.md", "docs/threat-model.md"} <= set(
        NAMES
    )


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for link in LINK.findall(FENCED.sub("", path.read_text("utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", NAMES)
def test_make_targets_exist(name: str) -> None:
    targets = make_targets()
    for words in commands_in((ROOT / name).read_text("utf-8"), "make"):
        assert words[0] in targets, f"make {words[0]}"


def test_the_readme_names_the_targets_that_people_use() -> None:
    named = {words[0] for words in commands_in((ROOT / "README.md").read_text("utf-8"), "make")}
    assert {"demo", "test", "up", "down", "check", "soak"} <= named


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_their_options_exist(name: str) -> None:
    for words in commands_in((ROOT / name).read_text("utf-8"), "concordat"):
        command: click.Command = cli
        context = click.Context(cli, info_name="concordat")
        for word in words:
            if word.startswith("--"):
                options = {option for parameter in command.params for option in parameter.opts}
                assert word.split("=")[0] in options, " ".join(words)
            elif isinstance(command, click.Group):
                following = command.get_command(context, word)
                assert following is not None, " ".join(words)
                command, context = following, click.Context(following, parent=context, info_name=word)


def test_the_readme_names_every_top_level_folder_and_no_other() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    table = text.split("## Where things are", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"^\| `([\w.-]+)/`", table, re.MULTILINE))
    there = {
        entry.name
        for entry in ROOT.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and not entry.name.endswith(".egg-info")
    }
    assert named == there - NOT_SOURCE


@pytest.mark.parametrize("name", NAMES)
def test_files_named_in_code_exist(name: str) -> None:
    text = FENCED.sub("", (ROOT / name).read_text("utf-8"))
    folders = "biometrics|network|chaincode|client|auditor|tests|scripts|docs|requirements"
    for span in CODE.findall(text):
        if re.fullmatch(rf"(?:{folders})/[\w./-]*", span):
            assert (ROOT / span).exists(), span


def test_exit_codes_are_the_codes_own() -> None:
    codes = {0, errors.Negative.exit_code, errors.UserError.exit_code, errors.OutcomeUnknown.exit_code}
    text = (ROOT / "README.md").read_text("utf-8")
    table = text.split("| code | means |", 1)[1].split("\n## ", 1)[0]
    assert {int(code) for code in re.findall(r"^\| (\d) \|", table, re.MULTILINE)} == codes


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    listed = LINK.findall((ROOT / "docs" / "adr" / "README.md").read_text("utf-8"))
    assert sorted(listed) == records


@pytest.mark.parametrize("name", [name for name in NAMES if re.search(r"adr/0", name)])
def test_a_decision_has_its_parts_within_a_page(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert parts == ["Context", "Choice", "Measured grounds", "Consequences"]
    assert len(text.split()) <= 500
