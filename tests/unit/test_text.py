"""The one opener of outside text: compression, pipes, line ends, marks and encodings."""

import gzip
import io
import os
import sys
import threading

import pytest

from nucleotune.errors import InputError
from nucleotune.sequence.fasta import read_fasta
from nucleotune.text import open_binary, open_text, read_lines, read_text

LINES = ["first\t1", "", "über\u2028x\x0cy", "last"]
TEXT = "\n".join(LINES) + "\n"


def _fed(path, pieces):
    """A FIFO that another thread writes in `pieces`."""
    os.mkfifo(path)

    def feed():
        with open(path, "wb", buffering=0) as stream:
            for piece in pieces:
                stream.write(piece)

    threading.Thread(target=feed, daemon=True).start()
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("packed", [False, True])
def test_line_ends_marks_and_compression(tmp_path, end, bom, packed):
    data = bom + TEXT.replace("\n", end).encode()
    path = tmp_path / "named.txt"  # the name says nothing
    path.write_bytes(gzip.compress(data) if packed else data)
    assert list(read_lines(path)) == list(enumerate(LINES, start=1))
    assert read_text(path) == TEXT
    with open_text(path) as stream:
        assert stream.read() == TEXT.encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_is_read_whole_whatever_pieces_it_comes_in(tmp_path, size, packed):
    data = TEXT.replace("\n", "\r\n").encode() * 20
    sent = gzip.compress(data) if packed else data
    path = _fed(tmp_path / "pipe", [sent[i : i + size] for i in range(0, len(sent), size)])
    assert read_text(path) == TEXT * 20


def test_records_beyond_the_first_buffer_of_a_pipe(tmp_path):
    # 4096 bytes end between two records: an opener that looks and opens again loses the first 128 without a word.
    records = b"".join(b">%06d\n%s\n" % (i, b"ACGTACGTACGTACGTACGTACG") for i in range(1000))
    assert records[4096:4097] == b">"
    path = _fed(tmp_path / "pipe", [records[:4096], records[4096:]])
    assert [record.header for record in read_fasta(path)] == [f"{i:06d}" for i in range(1000)]


def test_standard_input(monkeypatch):
    data = gzip.compress(TEXT.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert read_text("-") == TEXT


def test_return_at_the_border_of_two_reads(tmp_path):
    # Blocks end between CR and LF, and a lone CR stands at the very end.
    for before in range(1 << 20, (1 << 20) + 3):
        path = tmp_path / "long.txt"
        path.write_bytes(b"x" * (before - 2) + b"\r\ny\r\r\nz\r")
        assert [line for _, line in read_lines(path)] == ["x" * (before - 2), "y", "", "z"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"good\nb\xe9d\n", r"line 2: not UTF-8 text \(byte 0xe9\); save the file as UTF-8"),
        ("text".encode("utf-16"), "UTF-16 text; save it as UTF-8"),
        (gzip.compress(b"text" * 1000)[:-9], "damaged gzip file"),
        (gzip.compress(b"text")[:9] + b"\xff\xff" + gzip.compress(b"text")[11:], "damaged gzip"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, data, message):
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"bad\.txt: {message}"):
        list(read_lines(path))
    with pytest.raises(InputError, match=rf"bad\.txt: {message}"):
        read_text(path)


def test_the_mark_of_the_end_of_old_editors_is_no_text(tmp_path):
    path = tmp_path / "dos.txt"
    path.write_bytes(b"a\r\nb\x1a")
    assert read_text(path) == "a\nb" and list(read_lines(path)) == [(1, "a"), (2, "b")]


def test_no_file(tmp_path):
    for path, message in ((tmp_path, "a directory; expected a file"), (tmp_path / "no", "no such")):
        with pytest.raises(InputError, match=message), open_binary(path):
            pass


def test_gzip_that_unpacks_to_too_much(tmp_path, monkeypatch):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"ACGT\n" * 400_000))
    monkeypatch.setenv("NUCLEOTUNE_MAX_UNPACKED_GB", "0.001")
    message = r"x\.gz: unpacks to more than 0\.001 GB.*max_unpacked_gb"
    with pytest.raises(InputError, match=message), open_binary(path) as stream:
        while stream.read(1 << 16):
            pass
    monkeypatch.setenv("NUCLEOTUNE_MAX_UNPACKED_GB", "0.002")
    with open_binary(path) as stream:
        assert len(stream.read()) == 2_000_000
