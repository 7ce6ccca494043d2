"""Block `polya` of species files: each format of ends has its own keys."""

from types import SimpleNamespace

import pytest
import yaml

from nucleotune.errors import InputError
from nucleotune.plan import Dataset
from nucleotune.plugins import load_species
from nucleotune.studies.polya.plan import polya_files

BLOCK = {
    "files": {"genome": "g.fa", "annotation": "a.gff3"},
    "chromosomes": {"test": ["II"], "valid": ["III"]},
}


def load(tmp_path, **entry):
    (tmp_path / "species").mkdir(exist_ok=True)
    content = {"title": "Mine", "polya": BLOCK | {"ends": [entry]}}
    (tmp_path / "species" / "mine.yaml").write_text(yaml.safe_dump(content))
    return load_species("mine", [tmp_path])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"format": "bed", "tracks": {"a": ["b"]}},
            "'bed' does not read 'tracks', .*tifseq and table",
        ),
        ({"format": "bed", "first": 0}, "'bed' does not read 'first', which is of table"),
        ({"format": "tifseq", "track": "cold"}, "'tifseq' does not read 'track'"),
        ({"format": "tifseq", "columns": {"strand": "s"}}, "'tifseq' does not read 'columns'"),
        (
            {"format": "table", "column": 6, "tracks": {"a": ["b"]}},
            "'table' does not read 'column'",
        ),
        ({"format": "bed", "minus": "m.bg"}, "'bed' does not read 'minus'"),
        ({"format": "bedgraph"}, "give either 'minus' or 'minus_urls'"),
        ({"format": "bedgraph", "minus": "m", "minus_urls": ["u"]}, "give either 'minus' or"),
        ({"format": "table"}, "needs 'tracks'"),
    ],
)
def test_keys_of_another_format_are_refused(tmp_path, entry, message):
    with pytest.raises(InputError, match=f"mine.yaml: polya.ends.0: .*{message}"):
        load(tmp_path, path="ends", **entry)


def test_both_bedgraphs_from_the_network(tmp_path):
    urls = [f"https://a.org/{strand}.bedgraph.gz" for strand in ("plus", "minus")]
    species = load(tmp_path, format="bedgraph", urls=urls[:1], minus_urls=urls[1:], track="cold")
    run = SimpleNamespace(config={"data_dir": "."}, species={"mine": species}, registry={})
    files = polya_files(run, Dataset("mine", "chromosome", ("mine",)))
    assert [files[name][1].urls[0] for name in ("ends_0", "minus_0")] == urls
    assert files["minus_0"][0].endswith("a.org/minus.bedgraph.gz")
