"""Compiled code where neither the library nor the home directory can be written.

File modes do not bind root, so a file stands where a directory would have to be made.
"""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from nucleotune import compiled


def test_what_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert compiled.can_write(str(tmp_path)) and compiled.can_write(str(tmp_path / "a/b"))
    assert not compiled.can_write(str(tmp_path / "file"))
    assert not compiled.can_write(str(tmp_path / "file/below"))
    assert not compiled.can_write("/proc/self/below")


@pytest.mark.parametrize(
    ("sources", "cache", "needed"),
    [
        (["good", "good"], "file/cache", False),
        (["file", "good"], "cache", False),
        (["good", "file"], "file/cache", True),
    ],
)
def test_a_directory_is_needed_where_neither_can_be_written(tmp_path, sources, cache, needed):
    (tmp_path / "file").touch()
    folders = [str(tmp_path / name) for name in sources]
    assert compiled.needs_directory(folders, str(tmp_path / cache)) == needed


def test_directory_of_somebody_else_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = compiled.own_directory()
    assert folder == compiled.own_directory() == str(tmp_path / f"nucleotune-numba-{os.getuid()}")
    os.chmod(folder, 0o777)
    assert compiled.own_directory() != folder
    os.rmdir(folder)
    os.symlink(tmp_path, folder)
    assert compiled.own_directory() not in (folder, str(tmp_path))


def test_library_compiles_where_it_cannot_be_written(tmp_path):
    """A copy that takes no `__pycache__`, a home that is a file, as in a container."""
    package, home, temporary = tmp_path / "nucleotune", tmp_path / "home", tmp_path / "temporary"
    shutil.copytree(ROOT / "nucleotune", package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (package, package / "sequence"):
        (folder / "__pycache__").touch()
    home.touch()
    temporary.mkdir()
    code = "from nucleotune.sequence.orf import longest_orf as f; print(f('CCATGAAATAGCC'))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PYTHONPATH": str(tmp_path),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert run.returncode == 0, run.stderr
    assert list(temporary.rglob("*.nbi"))
