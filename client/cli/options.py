"""Options and kinds of paths that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

JSON: Final = click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")
INSTITUTION: Final = click.option(
    "--institution", help="The institution's MSP id. Default: whose meeting it is."
)
EXISTING_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE: Final = click.Path(dir_okay=False, path_type=Path)
"""A file that may not be there: the command says so in its own words."""
PATH: Final = click.Path(path_type=Path)
