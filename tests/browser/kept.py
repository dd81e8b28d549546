"""Pictures of pages that are kept in the documentation, and the words that were on them: a picture must not grow old.

Pixels depend on fonts and moments. The words depend on nothing but what the page is: without times, without whatever
has a number in it (addresses, models, readings), and without readings that not every machine has.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.rig import ROOT

KEPT = ROOT / "docs/screenshots"
WORDS = "words.json"
#: How long ago something was is said in these; they differ from one moment to the next.
MOMENTS = set(re.findall(
    r"\w+",
    "ago now last yesterday Yesterday tomorrow second seconds minute minutes hour hours day days week weeks month "
    "months year years s min h in old AM PM",
))  # fmt: skip
#: What a board may measure, or may not, on a page in Home Assistant's words and in ours.
MEASURED = r"CPU temperature|CPU|Throttled|Under-voltage|Wi-Fi signal|Wi-Fi|(?<!\w)OK(?!\w)|dBm|°C"


def words(text: str) -> list[str]:
    """Give the words of a page, in order of the alphabet."""
    plain = re.sub(rf"\S*\d\S*|{MEASURED}", " ", text)
    return sorted(set(re.findall(r"[^\W\d_]+", plain)) - MOMENTS)


class Pictures:
    """Those of one run: kept in a folder where one is given, else compared with those that are kept."""

    def __init__(self, folder: Path | None, kept: Path = KEPT) -> None:
        self._folder, self._kept = folder, kept
        self._words: dict[str, list[str]] = {}
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            self._words = _read(folder)

    def fits(self, name: str, text: str) -> bool:
        """Tell whether a page may be kept as it is: one that is compared has to have the words of the kept one."""
        return bool(self._folder) or set(_read(self._kept).get(name, [])) == set(words(text))

    def keep(self, name: str, picture: bytes, text: str) -> None:
        """Keep a picture (PNG), or see that the one that is kept shows the same words."""
        if self._folder:
            (self._folder / f"{name}.png").write_bytes(picture)
            self._words[name] = words(text)
            (self._folder / WORDS).write_text(
                json.dumps(self._words, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
            )
            return
        assert (self._kept / f"{name}.png").is_file(), f"docs/screenshots/{name}.png is missing: scripts/screenshots"
        old, new = set(_read(self._kept).get(name, [])), set(words(text))
        assert old == new, (
            f"docs/screenshots/{name}.png is out of date (scripts/screenshots, and look at it): "
            f"it shows {sorted(old - new)} and lacks {sorted(new - old)}"
        )


def _read(folder: Path) -> dict[str, list[str]]:
    path = folder / WORDS
    found: dict[str, list[str]] = json.loads(path.read_text()) if path.is_file() else {}
    return found
