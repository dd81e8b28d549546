"""Pictures of pages that are kept in the documentation, and the words that were on them: a picture must not grow old.

Pixels depend on fonts and moments. The words, without numbers and times, depend on nothing but what the page is.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.rig import ROOT

KEPT = ROOT / "docs/screenshots"
WORDS = "words.json"
#: How long ago something was is said in these; they differ from one moment to the next.
MOMENTS = set(re.findall(r"\w+", "ago now second seconds minute minutes hour hours day days s min h in old"))


def words(text: str) -> list[str]:
    """Give the words of a page, in order of the alphabet."""
    return sorted(set(re.findall(r"[^\W\d_]+", text)) - MOMENTS)


class Pictures:
    """Those of one run: kept in a folder where one is given, else compared with those that are kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._words: dict[str, list[str]] = {}
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            self._words = _read(folder)

    def keep(self, name: str, picture: bytes, text: str) -> None:
        """Keep a picture (PNG), or see that the one that is kept shows the same words."""
        if self._folder:
            (self._folder / f"{name}.png").write_bytes(picture)
            self._words[name] = words(text)
            (self._folder / WORDS).write_text(
                json.dumps(self._words, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
            )
            return
        assert (KEPT / f"{name}.png").is_file(), f"docs/screenshots/{name}.png is missing: scripts/screenshots"
        old, new = set(_read(KEPT).get(name, [])), set(words(text))
        assert old == new, (
            f"docs/screenshots/{name}.png is out of date (scripts/screenshots, and look at it): "
            f"it shows {sorted(old - new)} and lacks {sorted(new - old)}"
        )


def _read(folder: Path) -> dict[str, list[str]]:
    path = folder / WORDS
    found: dict[str, list[str]] = json.loads(path.read_text()) if path.is_file() else {}
    return found
