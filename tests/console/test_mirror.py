"""`scripts/mirror`: the repository of a release is installable as it stands, and everything in it leads somewhere."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig import ROOT

SCRIPT = ROOT / "scripts/mirror"
SOURCE = ROOT / "homeassistant_component"
MANIFEST: dict[str, str] = json.loads((SOURCE / "custom_components/pimqtt/manifest.json").read_text())
HOME, VERSION = MANIFEST["documentation"], MANIFEST["version"]


def mirror(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, timeout=60, check=False)


def files(folder: Path) -> dict[Path, bytes]:
    """Return what a folder has, without what git and Python keep there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path: (folder / path).read_bytes() for path in found if not {".git", "__pycache__"} & set(path.parts)}


def links(text: str) -> Iterator[tuple[str, bool]]:
    """Find what a document leads to, and whether that is a picture."""
    for picture, link in re.findall(r"(!?)\[[^\[\]]*\]\(([^)\s]+)\)", text):
        yield link, bool(picture)
    for link in re.findall(r"(?<!\!)\[!?\[[^\]]*\]\([^)]*\)[^\[\]]*\]\(([^)\s]+)\)", text):
        yield link, False
    for link in re.findall(r"\b(?:src|href|srcset)=[\"']([^\"']+)", text):
        yield link, True


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mirror of this very tree."""
    folder = tmp_path_factory.mktemp("a mirror") / "new"
    done = mirror(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"pimqtt {VERSION} is in {folder}, its links lead to {HOME} at v{VERSION}.\n"
    return folder


def test_it_is_laid_out_as_installers_read_it(tree: Path) -> None:
    assert {path.name for path in tree.iterdir()} == {
        "LICENSE", "README.md", "brand", "custom_components", "frontend", "hacs.json",
    }  # fmt: skip
    assert [path.name for path in (tree / "custom_components").iterdir()] == ["pimqtt"]
    assert (tree / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert json.loads((tree / "custom_components/pimqtt/manifest.json").read_text())["version"] == VERSION
    assert (tree / "custom_components/pimqtt/brand/icon.png").read_bytes()[:4] == b"\x89PNG"
    assert not list(tree.rglob("node_modules")) + list(tree.rglob("__pycache__"))


def test_all_but_the_documents_is_as_it_is_here(tree: Path) -> None:
    mirrored = files(tree)
    assert {path for path, data in mirrored.items() if path.suffix != ".md" and path != Path("LICENSE")} > {
        Path("hacs.json"), Path("frontend/src/index.ts"), Path("frontend/package-lock.json"),
    }  # fmt: skip
    del mirrored[Path("LICENSE")]
    changed = {path for path, data in mirrored.items() if (SOURCE / path).read_bytes() != data}
    assert changed == {Path("README.md")}


def test_the_documented_install_command_installs_the_same(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "configuration.yaml").write_text("")
    assert "\nscripts/install-component /path/to/config\n" in (tree / "README.md").read_text()
    command = [ROOT / "scripts/install-component", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "custom_components") == files(tree / "custom_components")


def test_every_link_leads_somewhere(tree: Path) -> None:
    ours = rf"{re.escape(HOME)}/(blob|raw)/v{re.escape(VERSION)}/([^#]*)(?:#(.*))?"
    seen: list[str] = []
    for document in tree.rglob("*.md"):
        for link, picture in links(document.read_text()):
            if found := re.fullmatch(ours, link):
                kind, path, anchor = found.groups()
                assert (ROOT / path).is_file(), link
                assert kind == ("raw" if picture else "blob"), link
                assert anchor is None or anchor in anchors(ROOT / path), link
                seen.append(kind)
            elif not link.startswith("https://"):
                path, _, anchor = link.partition("#")
                target = document.parent / path if path else document
                assert target.resolve().is_relative_to(tree.resolve()), link
                assert target.is_file(), link
                assert not anchor or anchor in anchors(target), link
            else:
                assert HOME not in link, link
    assert (seen.count("raw") >= 4, seen.count("blob") >= 10) == (True, True)


def test_a_link_that_leads_nowhere_would_be_found() -> None:
    text = '[a](../b.md) ![p](c.png) [![p](d.png)](e.md) <img src="f.png">'
    assert set(links(text)) == {
        ("../b.md", False), ("c.png", True), ("d.png", True), ("e.md", False), ("f.png", True),
    }  # fmt: skip


def test_a_clone_of_the_mirror_loses_what_is_gone_and_keeps_its_history(tree: Path, tmp_path: Path) -> None:
    assert mirror(tmp_path / "clone").returncode == 0
    (tmp_path / "clone/.git").mkdir()
    (tmp_path / "clone/.git/HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / "clone/custom_components/pimqtt/gone.py").write_text("")
    assert mirror(tmp_path / "clone/", f"v{VERSION}").returncode == 0
    assert files(tmp_path / "clone") == files(tree)
    assert (tmp_path / "clone/.git/HEAD").is_file()


@pytest.mark.parametrize("tag", ["v9.9.9", f"{VERSION}0", "main"])
def test_a_release_of_another_version_than_the_manifests_is_refused(tmp_path: Path, tag: str) -> None:
    done = mirror(tmp_path / "new", tag)
    assert (done.returncode, f"manifest.json says version {VERSION}" in done.stderr) == (1, True)
    assert not (tmp_path / "new").exists()


def test_a_folder_with_files_of_its_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    for git in (False, True):
        if git:
            (tmp_path / ".git").mkdir()
        done = mirror(tmp_path)
        assert (done.returncode, "has files of its own" in done.stderr) == (1, True)
        assert (tmp_path / "mine").read_text() == "precious"
    done = mirror(tmp_path / "mine")
    assert (done.returncode, "is a file" in done.stderr) == (1, True)


@pytest.mark.parametrize("inside", [".", "homeassistant_component", ".."])
def test_this_repository_is_left_alone(inside: str) -> None:
    done = mirror(ROOT / inside)
    assert done.returncode == 1
    assert "is this repository" in done.stderr


@pytest.mark.parametrize("words", [(), ("",), ("--force",), ("a", "b", "c")])
def test_without_a_folder_it_says_how(words: tuple[str, ...]) -> None:
    done = mirror(*words)
    assert done.returncode == 2
    assert "scripts/mirror FOLDER [TAG]" in done.stderr
