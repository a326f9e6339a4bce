from __future__ import annotations

import pytest

from network.yaml import render

EXPECTED = """\
a: 1
b:
  - true
  - null
  - "x: y"
nested:
  list:
    - k: "v"
      l:
        - 1
        - - 2
          - 3
    - {}
  empty: []
  none: {}
"odd key": "ünïcode\\n'quoted' \\"twice\\""
"123": "number-like key"
"""


def test_block_style() -> None:
    value = {
        "a": 1,
        "b": [True, None, "x: y"],
        "nested": {"list": [{"k": "v", "l": [1, [2, 3]]}, {}], "empty": [], "none": {}},
        "odd key": "ünïcode\n'quoted' \"twice\"",
        "123": "number-like key",
    }
    assert render(value) == EXPECTED


def test_texts_that_look_like_other_types_stay_texts() -> None:
    assert render({"a": "yes", "b": "1", "c": "null", "d": ""}) == 'a: "yes"\nb: "1"\nc: "null"\nd: ""\n'


def test_what_has_no_place_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        render({"a": 1.5})
