# SPDX-License-Identifier: Apache-2.0
"""What the renderer's unit tests keep as JSON is valid by the project's schema, the invented included."""

import json

import pytest
from conftest import ROOT, VALIDATOR

GOLDEN = sorted((ROOT / "tests/unit/golden").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_golden_json_is_valid(path):
    VALIDATOR.validate(json.loads(path.read_text()))


def test_there_are_goroutines_among_it():
    looks = [json.loads(path.read_text()) for path in GOLDEN]
    assert any(process["goroutines"] for look in looks for process in look["processes"])
