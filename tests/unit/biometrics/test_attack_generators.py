from __future__ import annotations

import hashlib
import io
import tokenize

import pytest

from biometrics.attacks.species import GENERATORS, SPECIES
from biometrics.policy import default_policy
from tests.unit.biometrics.conftest import ROOT

# The attack generators were frozen before the policy's limits were tuned. A change of one of these files
# is a new GENERATORS, new limits and a new evaluation; then, and only then, the hash changes.
FROZEN = {
    "attacks/instruments.py": "84fabd3b9a25f9b5",
    "attacks/species.py": "d92b959f3fb7a254",
    "synthesis/actor.py": "0ebe05499acca035",
    "synthesis/camera.py": "176b9a65438ae026",
    "synthesis/generic_face.py": "4770686376ee6639",
    "synthesis/portrait.py": "eaa0be18d5c33c52",
    "synthesis/render.py": "01ebcd3b472dd95d",
}


def digest_of_code(source: str) -> str:
    """Hash the tokens, so that comments and line breaks may change."""
    left_out = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    tokens = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in left_out and not token.string.startswith(('"""', "'''"))
    ]
    return hashlib.sha256(" ".join(tokens).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", FROZEN)
def test_the_generators_are_those_that_the_limits_were_tuned_on(name: str) -> None:
    assert GENERATORS == default_policy().attacks.generators == "attacks-v2"
    assert digest_of_code((ROOT / "biometrics" / name).read_text("utf-8")) == FROZEN[name]


def test_the_species_withheld_from_tuning_is_one_of_them() -> None:
    assert default_policy().attacks.withheld in SPECIES
