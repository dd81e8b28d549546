"""Hostile input that was kept is read again at every run of the tests, in the same order, from a clean start."""

from __future__ import annotations

import re
import time

import pytest

from tests.fuzz.corpus import FOLDER, kept
from tests.fuzz.registry import TARGETS

pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("name", TARGETS)
def test_every_input_kept_is_taken_or_refused_in_words_and_moves_nothing_else(name: str) -> None:
    kind = TARGETS[name]
    with kind() as target:
        for data in (*kind.seeds(), *kept(name)):
            begun = time.process_time()
            target.live(data)
            assert time.process_time() - begun < 5, f"this takes too long: {data[:200]!r}"


def test_the_corpus_is_small_and_every_file_belongs_to_a_target() -> None:
    files = list(FOLDER.glob("*"))
    assert {file.stem for file in files} <= TARGETS.keys()
    assert sum(file.stat().st_size for file in files) < 200_000


def test_an_input_does_the_same_twice() -> None:
    kind = TARGETS["commands"]
    told = []
    for _ in range(2):
        with kind() as target:
            seen: list[str] = []
            for data in kind.seeds()[:60]:
                target.run(data)
                node = target.node  # type: ignore[attr-defined]
                seen += [f"{topic} {payload!r}" for topic, payload in node.broker.told if not topic.endswith("/info")]
            told.append([re.sub(r'"token":"[^"]*"', "", line) for line in seen])
    assert told[0] == told[1]
