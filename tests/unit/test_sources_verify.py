import gzip
import hashlib
import zipfile

import numpy as np
import pytest

from nucleotune.files import file_digest
from nucleotune.sources import verify as module
from nucleotune.sources.registry import Source
from nucleotune.sources.verify import (
    NO_CHECKSUM,
    VerificationError,
    bsd_sum,
    bsd_sum_python,
    check_content,
    check_magic,
    parse_checksums,
    verify,
)

GZIP = gzip.compress(np.random.default_rng(0).bytes(5000), mtime=0)


def write(path, content: bytes):
    path.write_bytes(content)
    return path


def source(checksum: str, kind: str = "gzip", min_bytes: int = 1) -> Source:
    return Source("thing", ("https://h/thing.gz",), checksum, min_bytes, kind, "free", "")


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 300_000])
def test_bsd_sum_of_program_and_own_code_agree(tmp_path, size):
    path = write(tmp_path / "-x y", np.random.default_rng(size).bytes(size))
    assert bsd_sum(path) == bsd_sum_python(path)


def test_bsd_sum_known_values(tmp_path):
    # By hand: 'a' = 97; rotated right 97 -> 32816, + 'b' (98) = 32914.
    assert bsd_sum_python(write(tmp_path / "ab", b"ab")) == (32914, 1)
    assert bsd_sum_python(write(tmp_path / "none", b"")) == (0, 0)
    assert bsd_sum_python(write(tmp_path / "long", bytes(1025))) == (0, 2)


def test_other_sum_programs_are_not_trusted(tmp_path, monkeypatch):
    program = tmp_path / "sum"
    program.write_text("#!/bin/sh\necho 'sum (other) 1.0'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    module._sum_is_gnu.cache_clear()
    try:
        assert bsd_sum(write(tmp_path / "ab", b"ab")) == (32914, 1)
    finally:
        module._sum_is_gnu.cache_clear()


def test_parse_checksums_of_all_pipelines():
    text = (
        "23251     1 LICENSE\n"
        "00042 17\tHomo_sapiens.GRCh38.cds.all.fa.gz\n"
        "65535\t99\t/nfs/panda/release/fasta/x.ncrna.fa.gz\r\n"
        "  7 12 ./with blank.fa.gz  \n"
        "\n"
        "12 13\n"
        "<html><body>12 13 not a sum</body>\n"
    )
    assert parse_checksums(text) == {
        "LICENSE": (23251, 1),
        "Homo_sapiens.GRCh38.cds.all.fa.gz": (42, 17),
        "x.ncrna.fa.gz": (65535, 99),
        "with blank.fa.gz": (7, 12),
    }


def test_digests(tmp_path):
    path = write(tmp_path / "x", GZIP)
    assert file_digest(path, "md5") == hashlib.md5(GZIP).hexdigest()
    assert file_digest(path, "sha256") == hashlib.sha256(GZIP).hexdigest()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("gzip", GZIP),
        ("fasta", b">x\nACGT\n"),
        ("fasta", b"\xef\xbb\xbf\n>x\n"),
        ("text", b"a\tb\n"),
        ("zip", b"PK\x03\x04"),
    ],
)
def test_right_magic_passes(tmp_path, kind, content):
    check_magic(write(tmp_path / "x", content), kind)


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (
            "gzip",
            b"\n<!DOCTYPE html><title>Moved</title>" + b"x" * 99,
            r"web page.*<!DOCTYPE html><title>Moved",
        ),
        ("text", b"<HTML>sorry", "web page"),
        ("fasta", b"<html>", "web page"),
        ("gzip", b">x\nACGT\n", r"expected gzip.*>x\\nACGT"),
        ("fasta", GZIP, "expected fasta"),
        ("zip", GZIP, "expected zip"),
        ("text", b"a\0b", "expected text"),
        ("text", b"", "it is empty"),
        ("gzip", b"", "it is empty"),
    ],
)
def test_wrong_magic_quotes_the_opening(tmp_path, kind, content, message):
    with pytest.raises(VerificationError, match=message) as caught:
        check_magic(write(tmp_path / "x", content), kind)
    assert "x" * 61 not in str(caught.value)


@pytest.mark.parametrize("cut", [1, 8, 100, 4000])
def test_truncated_gzip_is_refused(tmp_path, cut):
    check_content(write(tmp_path / "x", GZIP + GZIP), "gzip")
    with pytest.raises(VerificationError, match="gzip file is truncated"):
        check_content(write(tmp_path / "x", GZIP[:-cut]), "gzip")


def test_damaged_gzip_and_zip_are_refused(tmp_path):
    damaged = GZIP[:2000] + bytes([GZIP[2000] ^ 1]) + GZIP[2001:]
    with pytest.raises(VerificationError, match="damaged"):
        check_content(write(tmp_path / "x", damaged), "gzip")
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("member", b"abcdefgh" * 20)
    check_content(tmp_path / "z", "zip")
    whole = (tmp_path / "z").read_bytes()
    with pytest.raises(VerificationError, match="'member'"):
        check_content(write(tmp_path / "z", whole.replace(b"abcdefgh", b"abcdefgX", 1)), "zip")
    with pytest.raises(VerificationError, match="truncated"):
        check_content(write(tmp_path / "z", whole[:-30]), "zip")


def test_verify_says_what_it_was_checked_by(tmp_path):
    path = write(tmp_path / "partial", GZIP)
    right = "{} {} thing.gz\n".format(*bsd_sum_python(path))
    wrong = f"{1} {bsd_sum_python(path)[1]} thing.gz\n"
    assert verify(path, source("bsdsum"), lambda: right, "thing.gz") == "bsdsum"
    assert verify(path, source("bsdsum"), lambda: right, "other.gz") == NO_CHECKSUM
    assert verify(path, source("bsdsum"), lambda: None, "thing.gz") == NO_CHECKSUM
    with pytest.raises(VerificationError, match="CHECKSUMS has 1 "):
        verify(path, source("bsdsum"), lambda: wrong, "thing.gz")

    def never() -> str:
        raise AssertionError("CHECKSUMS is of no use here")

    for method in ("md5", "sha256"):
        assert (
            verify(path, source(f"{method}:{file_digest(path, method)}"), never, "thing.gz")
            == method
        )
        with pytest.raises(VerificationError, match=f"{method} is .*, expected 00"):
            verify(path, source(f"{method}:{'0' * 64}"), never, "thing.gz")
    assert verify(path, source("none"), never, "thing.gz") == "none"
    with pytest.raises(VerificationError, match="expected at least 9999"):
        verify(path, source("none", min_bytes=9999), never, "thing.gz")
    with pytest.raises(VerificationError, match="expected fasta"):
        verify(path, source("bsdsum", kind="fasta"), never, "thing.gz")
