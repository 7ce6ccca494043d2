"""Addresses in users' files: nothing is written outside the downloads, and no password is written anywhere."""

import base64
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import snakemake
from planned import run_of

from nucleotune.errors import InputError


def write_run(folder, coding, noncoding):
    """Arguments of a run on a species whose two files have these addresses."""
    path = folder / "plugins/species/mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "title: Mine\n"
        f"coding: {{files: [{{urls: [{coding}]}}]}}\nnoncoding: {{files: [{{urls: [{noncoding}]}}]}}\n"
    )
    overlay = folder / "run.yaml"
    overlay.write_text(
        f"studies: [lncrna]\nplugins: [{folder / 'plugins'}]\noffline: false\n"
        "lncrna: {species: [mine], splits: [paper], methods: [length]}\n"
    )
    return ["--configfile", str(overlay)]


@pytest.fixture
def host():
    """Address of a web server that asks for alice's password, or for a token, and what it was asked for."""
    allowed = "Basic " + base64.b64encode(b"alice:s3cr3t").decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            let_in = self.headers.get("Authorization") == allowed or "token=t0k3n" in self.path
            self.send_response(200 if let_in else 401)
            self.end_headers()
            self.wfile.write(b">x\nACGT\n")

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_credentials_fetch_the_files_and_are_written_nowhere(tmp_path, host, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "run"
    folder.mkdir()
    coding, noncoding = f"http://alice:s3cr3t@{host}/c.fa", f"http://{host}/n.fa?token=t0k3n"
    arguments = write_run(tmp_path, f'"{coding}"', f'"{noncoding}"')
    done = snakemake(folder, "fetch", *arguments, "--printshellcmds")
    files = [path for path in folder.rglob("*") if path.is_file()]
    fetched = [path for path in files if path.read_bytes() == b">x\nACGT\n"]
    assert len(fetched) == 2
    for secret in (b"alice", b"s3cr3t", b"t0k3n"):
        assert secret not in done.stdout.encode()
        assert not [path for path in files if secret in str(path).encode() + path.read_bytes()]
    for path in fetched:
        path.unlink()
    offline = snakemake(folder, "fetch", *arguments, "--config", "offline=True", check=False)
    assert offline.returncode == 1 and f"from http://{host}/c.fa" in offline.stdout
    assert not [secret for secret in ("alice", "s3cr3t", "t0k3n") if secret in offline.stdout]


def test_no_address_leads_out_of_the_downloads(tmp_path):
    arguments = write_run(tmp_path, '"http://../sources.tsv", "file:///x.fa"', '"http://../y"')
    message = "species/mine.yaml: coding.files.0.urls.0: '..' is not the name of a host"
    with pytest.raises(InputError, match=re.escape(message)):
        run_of(Path(arguments[1]))
