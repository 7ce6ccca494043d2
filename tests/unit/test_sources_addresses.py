"""Addresses of users' files: what is accepted, and that secrets in them are not shown."""

import subprocess
import sys

import pytest

from nucleotune.errors import InputError
from nucleotune.plugins import load_collection, load_species
from nucleotune.sources.addresses import check_address, hide, reveal, without_secrets
from nucleotune.sources.registry import local_path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://alice:s3cr3t@h/x.fa", "https://h/x.fa"),
        ("https://t0k3n@h:80/x.fa", "https://h:80/x.fa"),
        ("https://h/a@b/x?list=a@b", "https://h/a@b/x?list=a@b"),
        ("https://h/x?acc=GSE1&keyword=2&author=3", "https://h/x?acc=GSE1&keyword=2&author=3"),
        # printf t0k3n | sha256sum
        ("https://h/x?a=1&token=t0k3n&b=2", "https://h/x?a=1&token=hidden-b81c829a&b=2"),
        ("https://h/x?private_token=t0k3n", "https://h/x?private_token=hidden-b81c829a"),
        ("https://h/x?X-Amz-Signature=t0k3n", "https://h/x?X-Amz-Signature=hidden-b81c829a"),
        ("https://h/x?API_KEY=t0k3n#f", "https://h/x?API_KEY=hidden-b81c829a#f"),
        ("https://h/x?sig=t0k3n&key=t0k3n", "https://h/x?sig=hidden-b81c829a&key=hidden-b81c829a"),
    ],
)
def test_secrets_are_taken_out(url, shown):
    assert without_secrets(url) == shown
    assert without_secrets(shown) == shown
    text = f"HTTPConnectionPool: Max retries exceeded with url: {url} (Caused by ..., {url})"
    assert without_secrets(text) == text.replace(url, shown)


def test_hidden_address_is_known_to_this_process_and_those_it_starts():
    url = "https://alice:s3cr3t@example.org/x?token=t0k3n"
    shown = hide(url)
    assert "s3cr3t" not in shown and reveal(shown) == url
    assert hide(shown) == shown and reveal(shown) == url
    code = f"from nucleotune.sources.addresses import reveal; print(reveal({shown!r}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == url
    assert reveal("https://example.org/y") == "https://example.org/y"


def test_files_told_apart_by_their_tokens_have_places_of_their_own():
    places = {local_path(f"https://h/get?token={token}") for token in ("one", "two")}
    assert len(places) == 2 and not any("one" in place or "two" in place for place in places)


@pytest.mark.parametrize(
    "url",
    [
        "https://ftp.ensembl.org/pub/x.fa.gz",
        "http://127.0.0.1:8765/x",
        "http://[::1]:80/x",
        "http://localhost/x",
        "http://my_host/a/../b",
        "https://münchen.example/x",
        "https://alice:s3%2Fcret@h/x?y=%20",
        "https://h/x?X-Amz-Date=1&X-Amz-Signature=" + "a" * 300,
        "file:///data/my%20x.fa",
        "data/my x.fa",
    ],
)
def test_addresses_of_files(url):
    check_address(url, "here")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "  ",
        "http://../sources.tsv",
        "http://.../x",
        "http://%2e%2e/x",
        "http:///x",
        "http://./x",
        "http://a..b/x",
        "http://..\\..\\x/y",
        "http://-a/x",
        "http://a b/x",
        "http://h:port/x",
        "http://h:99999/x",
        "http://[bad/x",
        "ftp://h/x",
        "file://data/x",
        "file:///",
        "http://h/a\u2028b",
        "http://h/%0A",
        "http://h/%C2%85",
        "http://h/a\nb",
        "a\0b",
        "http://h/{x}",
        "http://h/%7Bx%7D",
        "http://h/" + "x" * 300,
        "http://h/x?" + "x" * 300,
    ],
)
def test_what_is_no_address_of_a_file(url):
    with pytest.raises(InputError, match=r"^mine\.yaml: urls: "):
        check_address(url, "mine.yaml: urls")


def test_address_that_cannot_be_read_is_not_repeated():
    with pytest.raises(InputError) as caught:
        check_address("http://alice:s3/cr3t@h/x", "mine.yaml: urls")
    assert "cr3t" not in str(caught.value) and "%2F" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://../sources.tsv", "http://./x", "http:///x", "http://%2e%2e/x"]
)
def test_no_place_outside_the_downloads(url):
    with pytest.raises(InputError, match="not the name of a host"):
        local_path(url)


def test_what_is_read_of_plugins_has_no_secrets(tmp_path):
    """Parameters of rules, pages and messages are made of this, and cannot show what it does not have."""
    url = "https://alice:s3cr3t@h/x.fa?token=t0k3n"
    for kind in ("species", "collections"):
        (tmp_path / kind).mkdir()
    (tmp_path / "species/mine.yaml").write_text(
        f'title: Mine\ncoding: {{files: [{{urls: ["{url}"]}}]}}\nnoncoding: {{files: [{{urls: ["{url}"]}}]}}\n'
    )
    (tmp_path / "collections/mine.yaml").write_text(
        f'title: Mine\nformat: fasta\nsheet: mine.tsv\nregions: {{annotation: {{urls: ["{url}"]}}}}\n'
    )
    sheet = tmp_path / "collections/mine.tsv"
    sheet.write_text(f"rbp\tpositives\tnegatives\nA\t{url}\tdown.fa\n")
    read = [load_species("mine", [tmp_path]), load_collection("mine", [tmp_path])]
    assert not [secret for secret in ("alice", "s3cr3t", "t0k3n") if secret in str(read)]
    shown = read[0]["coding"]["files"][0]["urls"][0]
    assert shown == read[1]["rows"][0]["positives"] and reveal(shown) == url
    sheet.write_text(f"rbp\tpositives\tnegatives\nA\t{url}\n")
    with pytest.raises(InputError, match="line 2") as caught:
        load_collection("mine", [tmp_path])
    assert "s3cr3t" not in str(caught.value)
    sheet.write_text("rbp\tpositives\tnegatives\nA\thttp://../x\tdown.fa\n")
    with pytest.raises(
        InputError, match=r"mine\.tsv: line 2: positives: '\.\.' is not the name of a host"
    ):
        load_collection("mine", [tmp_path])


@pytest.mark.parametrize(
    "text", ["coding: {files: [{urls: URL}]}\n", "coding: {files: [{urls: [URL]}]\n"]
)
def test_mistakes_in_plugins_show_no_secrets(tmp_path, text):
    (tmp_path / "species").mkdir()
    url = '"https://alice:s3cr3t@h/x.fa?token=t0k3n"'
    (tmp_path / "species/mine.yaml").write_text("title: Mine\n" + text.replace("URL", url))
    with pytest.raises(InputError, match=r"mine\.yaml") as caught:
        load_species("mine", [tmp_path])
    assert not [secret for secret in ("alice", "s3cr3t", "t0k3n") if secret in str(caught.value)]
