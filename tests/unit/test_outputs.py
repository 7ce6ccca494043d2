"""Where a user says: files, links, pipes, devices, and what must not be replaced."""

import gzip
import os
import stat
import subprocess
import sys
import threading

import pytest

from nucleotune.errors import InputError
from nucleotune.outputs import check_output, open_output


def write(path, text="a\tb\n", inputs=()):
    with open_output(str(path), inputs) as stream:
        stream.write(text)


def test_a_file_is_replaced_at_the_end_or_not_at_all(tmp_path):
    path = tmp_path / "a.tsv"
    write(path, "old\n")
    path.chmod(0o640)
    with pytest.raises(ZeroDivisionError), open_output(str(path)) as stream:
        stream.write("half")
        raise ZeroDivisionError
    assert path.read_text() == "old\n" and os.listdir(tmp_path) == ["a.tsv"]
    write(path)
    assert path.read_bytes() == b"a\tb\n" and stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["", ".", "..", "d", "d/", "new/", "d/.", "d/..", "link"])
def test_directories_are_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/mine").touch()
    (tmp_path / "link").symlink_to("d")
    with pytest.raises(InputError, match="names a directory; give a file in it"):
        write(name)
    assert sorted(os.listdir(tmp_path)) == ["d", "link"] and os.listdir("d") == ["mine"]


def test_missing_parent(tmp_path):
    (tmp_path / "file").touch()
    for name in ("none/a.tsv", "file/a.tsv"):
        with pytest.raises(InputError, match=f"no directory {tmp_path}/(none|file); make it"):
            check_output(str(tmp_path / name))
    assert os.listdir(tmp_path) == ["file"]


def test_links_stay_and_their_files_are_written(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.tsv").write_text("old\n")
    (tmp_path / "a.tsv").symlink_to("disk/a.tsv")
    (tmp_path / "b.tsv").symlink_to("disk/new.tsv")  # nothing there yet
    write(tmp_path / "a.tsv")
    write(tmp_path / "b.tsv")
    assert (tmp_path / "a.tsv").is_symlink() and (tmp_path / "b.tsv").is_symlink()
    assert (
        (tmp_path / "disk/a.tsv").read_text() == (tmp_path / "disk/new.tsv").read_text() == "a\tb\n"
    )
    assert sorted(os.listdir(tmp_path / "disk")) == ["a.tsv", "new.tsv"]


def test_gz_compresses_the_same_bytes_every_time(tmp_path):
    for name in ("a.tsv.gz", "b.GZ"):
        write(tmp_path / name)
    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()) == b"a\tb\n"
    assert (tmp_path / "a.tsv.gz").read_bytes() == (tmp_path / "b.GZ").read_bytes()


def test_an_input_is_never_replaced(tmp_path):
    source = tmp_path / "in.fa"
    source.write_text(">a\nACGT\n")
    (tmp_path / "soft").symlink_to("in.fa")
    os.link(source, tmp_path / "hard")
    for name in ("in.fa", "soft", "hard"):
        for one in (source, tmp_path / "soft"):
            with pytest.raises(InputError, match="is the input .*; give another file"):
                write(tmp_path / name, inputs=[tmp_path / "other", one])
    assert source.read_text() == ">a\nACGT\n"


def test_pipes_and_devices_are_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    write(tmp_path / "pipe")
    reader.join()
    assert read == ["a\tb\n"] and stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    write(tmp_path / "null")
    assert (tmp_path / "null").is_symlink()
    with pytest.raises(OSError, match="No space left"):
        write("/dev/full")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode) and stat.S_ISCHR(os.stat("/dev/null").st_mode)


CODE = """
import sys
from nucleotune.outputs import open_output
with open_output(sys.argv[1]) as stream:
    stream.write("b\\n")
"""


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_open_files_are_written_to_where_they_stand(tmp_path, name):
    """Neither cut off nor renamed over: what stands in the file before stays."""
    path = tmp_path / "out"
    path.write_text("a\n")
    with path.open("ab") as out:
        subprocess.run([sys.executable, "-c", CODE, name], stdout=out, check=True)
    assert path.read_text() == "a\nb\n" and os.listdir(tmp_path) == ["out"]
