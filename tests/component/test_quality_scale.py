"""Home Assistant's quality scale: each rule is done and shown by a test, or exempt for a reason that the code bears."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import homeassistant.components
import pytest
import yaml
from quality_proofs import RULES, TESTS, lost_tests
from quality_scale import EXEMPTIONS, PROOFS
from rig import COMPONENT

ANSWERS: dict[str, Any] = yaml.safe_load((COMPONENT / "quality_scale.yaml").read_text())["rules"]
#: Rules that the oldest Home Assistant does not know yet.
NEWER = {"docs-conditions", "docs-triggers"}


def exempt() -> set[str]:
    return {rule for rule, told in ANSWERS.items() if isinstance(told, dict) and told["status"] == "exempt"}


def test_the_rules_are_those_that_home_assistants_own_integrations_answer() -> None:
    root = Path(next(iter(homeassistant.components.__path__)))
    asked: set[str] = set()
    for path in root.glob("*/quality_scale.yaml"):
        asked |= set(yaml.safe_load(path.read_text())["rules"])
    assert asked in (RULES, RULES - NEWER)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_has_a_proof_or_an_exemption(rule: str) -> None:
    assert (rule in TESTS) != (rule in EXEMPTIONS)
    assert (rule in EXEMPTIONS) == (rule in exempt())
    if rule in EXEMPTIONS:
        assert len(ANSWERS[rule]["comment"]) > 20, "the reason stands beside it"


def test_nothing_else_is_proven_or_exempt() -> None:
    assert set(TESTS) | set(EXEMPTIONS) == set(ANSWERS) == RULES
    assert set(PROOFS) <= set(TESTS)


def test_every_proof_is_a_test_that_exists() -> None:
    assert list(lost_tests(TESTS)) == []


def test_a_proof_that_is_none_is_found(tmp_path: Path) -> None:
    text = '@pytest.mark.skip("later")\ndef test_a() -> None:\n    assert 1\n\n\ndef test_b() -> None:\n    pass\n'
    (tmp_path / "test_x.py").write_text(text)
    names = {"brands": ("test_x::test_a", "test_x::test_b", "test_x::test_c", "test_y::test_a", "test_x::b")}
    assert [one.split(": ")[1] for one in lost_tests(names, tmp_path)] == [
        "there is no such test", "is left out", "asserts nothing", "there is no such test", "there is no such test",
    ]  # fmt: skip
