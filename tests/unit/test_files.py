"""Atomic writing: what is there is never lost, and what is replaced is ours."""

import os

import pytest

from nucleotune.errors import InputError
from nucleotune.files import (
    atomic_path,
    check_new_directory,
    is_file_name,
    link_or_copy,
    new_directory,
    read_json,
    reading,
    write_json,
)


def content(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_is_whole_or_not_there(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "new/a") as path:
        path.write_text("half")
        raise ZeroDivisionError
    assert content(tmp_path) == ["new"]
    write_json(tmp_path / "new/a", {"b": 1})
    write_json(tmp_path / "new/a", {"b": 2})
    assert read_json(tmp_path / "new/a") == {"b": 2} and content(tmp_path / "new") == ["a"]


def test_a_directory_is_replaced_only_where_that_is_asked(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/mine").touch()
    with pytest.raises(InputError, match="d: a directory; expected the name of a file"):
        write_json(tmp_path / "d", {})
    assert content(tmp_path) == ["d", "d/mine"]
    with atomic_path(tmp_path / "d", replace_directory=True) as path:
        path.mkdir()
        (path / "new").touch()
    assert content(tmp_path) == ["d", "d/new"]


def test_users_directories_are_not_replaced(tmp_path, monkeypatch):
    def make(place):
        with new_directory(place, "card.json") as path:
            (path / "card.json").write_text("{}")

    make(tmp_path / "a/model")
    (tmp_path / "a/model/old").touch()
    make(tmp_path / "a/model")  # one of ours
    assert content(tmp_path) == ["a", "a/model", "a/model/card.json"]
    (tmp_path / "empty").mkdir()
    make(tmp_path / "empty")
    with pytest.raises(InputError, match=r"a: a directory with other files in it \(no card.json"):
        make(tmp_path / "a")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file: a file; expected the name of a directory"):
        make(tmp_path / "file")
    monkeypatch.chdir(tmp_path / "a/model")
    for place in (".", "..", "../..", "../model", tmp_path):
        with pytest.raises(InputError, match="it contains the current directory"):
            check_new_directory(place, "card.json")
    assert (tmp_path / "file").read_text() == "x" and (tmp_path / "a/model/card.json").is_file()


def test_a_link_to_a_directory_stays(tmp_path):
    (tmp_path / "disk/m").mkdir(parents=True)
    (tmp_path / "m").symlink_to("disk/m")
    with new_directory(tmp_path / "m", "card.json") as path:
        (path / "card.json").write_text("{}")
    assert os.readlink(tmp_path / "m") == "disk/m" and (tmp_path / "disk/m/card.json").is_file()


def test_link_or_copy_removes_nothing(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/weights").write_text("1")
    link_or_copy(tmp_path / "source", tmp_path / "target")
    assert os.path.samefile(tmp_path / "source/weights", tmp_path / "target/weights")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").touch()
    for source in ("source", "source/weights"):
        with pytest.raises(InputError, match="mine: a directory with files in it"):
            link_or_copy(tmp_path / source, tmp_path / "mine")
    assert content(tmp_path / "mine") == ["notes"]


@pytest.mark.parametrize("data", [b"", b'{"a": 1', b"\xff\xfe", b"[" * 100_000])
def test_damaged_json_is_named(tmp_path, data):
    (tmp_path / "card.json").write_bytes(data)
    with pytest.raises(InputError, match=r"card\.json: damaged.*delete it and run again"):
        read_json(tmp_path / "card.json")
    with pytest.raises(InputError, match=r"none\.json: no such file"):
        read_json(tmp_path / "none.json")


def test_a_file_that_may_not_be_read_is_not_called_damaged():
    with (
        pytest.raises(InputError, match=r"card\.json: no permission to read it"),
        reading("card.json"),
    ):
        raise PermissionError


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("a.b", True),
        ("x" * 255, True),
        ("x" * 256, False),
        ("a/b", False),
        ("..", False),
        ("", False),
    ]
    + [("a\0", False), (3, False)],
)
def test_names_of_files_from_outside(name, allowed):
    assert is_file_name(name) is allowed
