"""A folder for configurations, and what is said about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pimqtt_agent.config import examine, load
from pimqtt_agent.errors import ConfigError
from pimqtt_agent.settings import Settings
from tests.config.texts import Read, Told, Write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Write files by name; a text without a name is the configuration."""

    def write(text: str | None = None, **files: str) -> None:
        if text is not None:
            (folder / "config.yaml").write_text(text)
        for name, content in files.items():
            (folder / f"{name}.yaml").write_text(content)

    return write


@pytest.fixture
def read(write: Write) -> Read:
    """Load a text."""

    def read(text: str, environ: dict[str, str] | None = None, profile: str | None = None, **files: str) -> Settings:
        write(text, **files)
        return load("config.yaml", profile=profile, environ=environ or {})

    return read


@pytest.fixture
def noted(write: Write) -> Told:
    """Examine a text that is right, and return the notes."""

    def noted(text: str, environ: dict[str, str] | None = None, profile: str | None = None, **files: str) -> list[str]:
        write(text, **files)
        settings, notes = examine("config.yaml", profile=profile, environ=environ or {})
        assert settings == load("config.yaml", profile=profile, environ=environ or {})
        assert all(line.isprintable() for line in notes)
        return notes

    return noted


@pytest.fixture
def found(noted: Told) -> Told:
    """Examine a text with the files that it names, and return the mistakes that only `check` tells."""

    def found(text: str, **options: Any) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            noted(text, **options)
        assert caught.value.status == 1
        return caught.value.lines

    return found


@pytest.fixture
def told(read: Read) -> Told:
    """Load a text that has mistakes, and return what is told."""

    def told(text: str, status: int = 1, **options: Any) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            read(text, **options)
        assert caught.value.status == status
        assert all(line.isprintable() for line in caught.value.lines)
        return caught.value.lines

    return told
