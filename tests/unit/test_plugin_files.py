"""Plug-in files and sheets as users have them: what YAML lets pass, paths, directories, and what is said of them."""

import tracemalloc

import pytest

from nucleotune.errors import InputError
from nucleotune.plan import remote_source
from nucleotune.plugins import (
    check_collection_files,
    check_species_files,
    find_plugin,
    load_species,
    read_sheet,
)
from nucleotune.yaml_files import MOST_VALUES, read_yaml


def yaml_file(tmp_path, content):
    path = tmp_path / "x.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_yaml_as_editors_save_it(tmp_path, end, bom):
    text = f"{bom}title: Ä{end}files:{end}  - &a {{path: b, n: 1}}{end}  - *a{end}  - {{<<: *a, n: 2}}{end}"
    same = {"path": "b", "n": 1}
    assert read_yaml(yaml_file(tmp_path, text)) == {
        "title": "Ä",
        "files": [same, same, {"path": "b", "n": 2}],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"title: caf\xe9\n", r"line 1: not UTF-8 text \(byte 0xe9\); save the file as UTF-8"),
        ("title: x".encode("utf-16"), "UTF-16 text; save it as UTF-8"),
        ("a: 1\n? [b, c]\n: 2\n", "line 2: a list or mapping as a key"),
        ("a: 1\n{b: c}: 2\n", "line 2: a list or mapping as a key"),
        ("a: 1\nb: 2020-13-45\n", "line 2: not a value: '2020-13-45' .*quote it"),
        ("a:\n  - x\n  - !!int y\n", "line 3: not a value: 'y'"),
        (f"a: {'9' * 5000}\n", "line 1: not a value: '9999"),
        ("a: !!map [1]\n", "line 1: tagged as a mapping"),
        ("a: " + "[" * 5000 + "]" * 5000, "more than 50 levels deep"),
        ("a: " + "[" * 60 + "]" * 60, "line 1: .*more than 50 levels deep"),
        ("a: 1\nb: &b [*b]\n", "line 2: this value contains itself"),
        ("a: 1\na: 2\n", r"key 'a' is given twice \(line 2\)"),
        ("a: [1\n", "not valid YAML"),
        ("a: \x07\n", "not valid YAML"),
        ("a: !!python/object:os.system x\n", "not valid YAML"),
        ("--- {a: 1}\n--- {a: 2}\n", "not valid YAML"),
        ("- a\n", "expected a mapping of keys to values, found list"),
        ("", "expected a mapping of keys to values, found NoneType"),
    ],
)
def test_yaml_that_is_none(tmp_path, content, message):
    with pytest.raises(InputError, match=rf"x\.yaml: .*{message}|x\.yaml: {message}"):
        read_yaml(yaml_file(tmp_path, content))


def test_aliases_that_stand_for_thousands_of_millions_of_values(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    path = yaml_file(tmp_path, "\n".join(lines))
    tracemalloc.start()
    with pytest.raises(
        InputError, match=rf"line 6: its aliases stand for 1,111,111 values.*{MOST_VALUES:,}"
    ):
        read_yaml(path)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_a_directory_or_nothing_in_place_of_a_file(tmp_path):
    with pytest.raises(InputError, match="a directory; expected a file"):
        read_yaml(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="a directory; expected a file"):
        read_sheet(tmp_path, "rbpsuite")


def test_a_plug_in_directory_that_is_not_there(tmp_path):
    with pytest.raises(
        InputError, match=rf"species/zf\.yaml: the plug-in directory {tmp_path}/none .* not there"
    ):
        find_plugin("species", "zf", [tmp_path, tmp_path / "none"])
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is not a directory"):
        find_plugin("species", "zf", [tmp_path / "file"])


SHEET = "rbp\tpositives\tnegatives"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_sheet_of_a_spreadsheet(tmp_path, end):
    path = tmp_path / "x.tsv"
    lines = [f"\ufeff{SHEET}\t\t", "", "QKI\tp.fa\tn.fa\t", "\t\t", "B\u2028C\tq.fa\tm.fa"]
    path.write_bytes(end.join(lines[:-1]).encode())
    assert read_sheet(path, "fasta") == [{"rbp": "QKI", "positives": "p.fa", "negatives": "n.fa"}]
    path.write_bytes(end.join(lines).encode())
    with pytest.raises(InputError, match=r"x\.tsv: line 5: rbp "):
        read_sheet(path, "fasta")
    path.write_bytes(f"{SHEET}\nQKI\tp\xe9\tn".encode("latin-1"))
    with pytest.raises(InputError, match=r"x\.tsv: line 2: not UTF-8"):
        read_sheet(path, "fasta")


def species(tmp_path, text):
    path = tmp_path / "plug/species/mine.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return load_species("mine", [tmp_path / "plug"])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("(id", "not a regular expression"),
        ("(?P<gene>x)", r"'\(\?P<gene>x\)' has no group \(\?P<id>"),
    ],
)
def test_patterns_of_headers_are_checked_before_the_first_job(tmp_path, header, message):
    with pytest.raises(InputError, match=rf"mine\.yaml: noncoding\.header: .*{message}"):
        species(
            tmp_path,
            "title: x\ncoding: {files: [{path: a.fa}]}\n"
            f"noncoding: {{files: [{{path: b.fa}}], header: '{header}'}}\n",
        )


def test_paths_with_braces_and_tables_without_columns(tmp_path):
    one = species(tmp_path, "title: x\npromoters: {files: {gue_train: 'a{b}.csv'}}\n")
    (tmp_path / "a{b}.csv").write_text("sequence,label\n")
    with pytest.raises(
        InputError, match=r"species/mine\.yaml: promoters\.files\.gue_train: .*a\{b\}\.csv'.*braces"
    ):
        check_species_files("mine", one, str(tmp_path))
    one["promoters"]["files"]["gue_train"] = "a.csv"
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(InputError, match="gue_train: a directory"):
        check_species_files("mine", one, str(tmp_path))
    (tmp_path / "a.csv").rmdir()
    (tmp_path / "a.csv").write_text("dna,y\n")
    with pytest.raises(InputError, match=r"a\.csv: expected the header 'sequence,label'"):
        check_species_files("mine", one, str(tmp_path))
    (tmp_path / "a.csv").write_text("Sequence,Label\n")
    check_species_files("mine", one, str(tmp_path))
    sheet = {"sequences": None, "regions": None, "sheet": "c.tsv"}
    rows = [{"rbp": "Q", "positives": "{x}.fa", "negatives": "n.fa"}]
    with pytest.raises(InputError, match=r"collections/c\.tsv: Q: positives: .*braces"):
        check_collection_files("c", {**sheet, "rows": rows}, None, str(tmp_path))


@pytest.mark.parametrize("url", ["https://x.org/a{b}.fa", "https://x.org/a%7Bb.fa"])
def test_addresses_with_braces(url):
    with pytest.raises(InputError, match="species file: https.*braces in an address"):
        remote_source({"urls": [url], "checksum": "none"}, "species file", plain="fasta")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://x.org/a.fa.gz", "gzip"),
        ("https://x.org/a.FA.GZ?token=1", "gzip"),
        ("https://x.org/a.bgz", "gzip"),
        ("https://x.org/a.fa?x=.gz", "fasta"),
    ],
)
def test_what_an_address_says_of_its_file(url, kind):
    source = remote_source({"urls": [url], "checksum": "none"}, "species file", plain="fasta")
    assert source.kind == kind
