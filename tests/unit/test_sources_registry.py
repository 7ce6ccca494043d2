import subprocess
import sys
from pathlib import Path

import pytest

from nucleotune.errors import InputError
from nucleotune.sources.mirror import describe_missing, missing
from nucleotune.sources.registry import (
    COLUMNS,
    Source,
    file_path,
    is_remote,
    local_path,
    read_registry,
    resolve,
)

REGISTRY = Path(__file__).parents[2] / "resources" / "sources.tsv"
HUMAN = {"species": "homo_sapiens", "assembly": "GRCh38", "release": 110}


def source(*urls: str, checksum: str = "none") -> Source:
    return Source("thing", urls, checksum, 1, "gzip", "free", "")


def test_shipped_registry_gives_ensembl_addresses():
    registry = read_registry(REGISTRY)
    from_ensembl = {
        f"{site}_{kind}"
        for site in ("ensembl", "ensemblgenomes")
        for kind in ("cds", "ncrna", "cdna", "dna", "gtf")
    }
    other = {"gtex_median_tpm", "epdnew_promoters", "epdnew_motifs", "encode_peaks"}
    other |= {f"gue_{part}" for part in ("train", "dev", "test")}
    assert set(registry) == from_ensembl | other
    human = resolve(registry["ensembl_ncrna"], **HUMAN)
    tail = "fasta/homo_sapiens/ncrna/Homo_sapiens.GRCh38.ncrna.fa.gz"
    assert human.urls[0] == f"https://ftp.ensembl.org/pub/release-110/{tail}"
    assert human.urls[1] == f"https://ftp.ebi.ac.uk/ensemblorg/pub/release-110/{tail}"
    assert human.urls[3] == f"https://ftp.ensembl.org/pub/release-110/vertebrates/{tail}"
    assert (
        resolve(registry["ensembl_cds"], **HUMAN)
        .urls[0]
        .endswith("/cds/Homo_sapiens.GRCh38.cds.all.fa.gz")
    )
    for name in from_ensembl:
        assert registry[name].checksum == "bsdsum" and registry[name].kind == "gzip"


@pytest.mark.parametrize(
    ("name", "fields", "url"),
    [
        (
            "ensembl_dna",
            HUMAN | {"dna": "primary_assembly"},
            "https://ftp.ensembl.org/pub/release-110/fasta/homo_sapiens/dna/Homo_sapiens.GRCh38.dna.primary_assembly.fa.gz",
        ),
        (
            "ensembl_gtf",
            HUMAN,
            "https://ftp.ensembl.org/pub/release-110/gtf/homo_sapiens/Homo_sapiens.GRCh38.110.gtf.gz",
        ),
        (
            "gtex_median_tpm",
            {"gtex_release": "v8", "gtex_name": "GTEx_Analysis_2017-06-05_v8_RNASeQCv1.1.9"},
            "https://storage.googleapis.com/adult-gtex/bulk-gex/v8/rna-seq/GTEx_Analysis_2017-06-05_v8_RNASeQCv1.1.9_gene_median_tpm.gct.gz",
        ),
        (
            "epdnew_promoters",
            {"epd_folder": "H_sapiens/006", "epd_name": "Hs_EPDnew_006_hg38"},
            "https://epd.expasy.org/ftp/epdnew/H_sapiens/006/Hs_EPDnew_006_hg38.bed",
        ),
        (
            "epdnew_motifs",
            {"epd_folder": "H_sapiens/006"},
            "https://epd.expasy.org/ftp/epdnew/H_sapiens/006/db/promoter_motifs.txt",
        ),
        (
            "gue_dev",
            {"gue_repository": "fm4bio-ning/GUE_public", "gue_commit": "53d2868"},
            "https://huggingface.co/datasets/fm4bio-ning/GUE_public/resolve/53d2868/prom_300_notata/dev.csv",
        ),
    ],
)
def test_addresses_of_the_promoter_study(name, fields, url):
    assert resolve(read_registry(REGISTRY)[name], **fields).urls[0] == url


@pytest.mark.parametrize("collection", [{}, {"collection": ""}, {"collection": None}])
def test_empty_collection_leaves_no_double_slash(collection):
    row = read_registry(REGISTRY)["ensemblgenomes_cds"]
    fields = {"species": "aspergillus_x", "assembly": "A1", "release": 57, "division": "fungi"}
    assert resolve(row, **fields, **collection).urls[0] == (
        "https://ftp.ensemblgenomes.ebi.ac.uk/pub/release-57/fungi/fasta/aspergillus_x/cds/Aspergillus_x.A1.cds.all.fa.gz"
    )
    within = resolve(row, **fields, **{"collection": "fungi_ascomycota1_collection"})
    assert "/fasta/fungi_ascomycota1_collection/aspergillus_x/cds/" in within.urls[0]


def test_missing_field_is_named():
    row = read_registry(REGISTRY)["ensembl_cds"]
    with pytest.raises(InputError, match="'ensembl_cds'.*'assembly'"):
        resolve(row, species="homo_sapiens", release=110)
    with pytest.raises(InputError, match="'release'"):
        resolve(row, species="homo_sapiens", assembly="GRCh38", release="")


def test_resolve_leaves_other_addresses_alone():
    assert resolve(source("file:///a/b", "http://h/a//b", "rel/x")).urls == (
        "file:///a/b",
        "http://h/a//b",
        "rel/x",
    )
    assert resolve(source("file:///{species}/x"), species="s").urls == ("file:///s/x",)


GOOD = {
    "name": "thing",
    "urls": "https://h/{species}.gz file:///x",
    "checksum": "none",
    "min_bytes": "10",
    "kind": "gzip",
    "licence": "free",
    "note": "",
}


def write_registry(path: Path, *rows: dict[str, str], header: tuple[str, ...] = COLUMNS) -> Path:
    lines = ["# a comment", "", "\t".join(header), *("\t".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_row_is_read_whole(tmp_path):
    md5 = "0123456789abcdef" * 2
    path = write_registry(tmp_path / "s.tsv", {**GOOD, "checksum": f"md5:{md5}", "note": "says it"})
    assert read_registry(path) == {
        "thing": Source(
            "thing",
            ("https://h/{species}.gz", "file:///x"),
            f"md5:{md5}",
            10,
            "gzip",
            "free",
            "says it",
        )
    }


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "two words"),
        ("urls", ""),
        ("urls", "ftp://h/x"),
        ("urls", "https://h/{species"),
        ("checksum", "md5:abc"),
        ("checksum", "sha1"),
        ("min_bytes", "-1"),
        ("min_bytes", "1 MB"),
        ("kind", "bzip2"),
        ("licence", ""),
    ],
)
def test_fault_names_file_line_and_column(tmp_path, column, value):
    path = write_registry(tmp_path / "s.tsv", GOOD, {**GOOD, "name": "other", column: value})
    with pytest.raises(InputError, match=rf"s\.tsv: line 5, column '{column}'"):
        read_registry(path)


def test_repeated_name_short_row_and_wrong_header(tmp_path):
    with pytest.raises(InputError, match="line 5, column 'name'.*more than once"):
        read_registry(write_registry(tmp_path / "s.tsv", GOOD, GOOD))
    with pytest.raises(InputError, match="line 4: expected 7 tab-separated columns, found 1"):
        read_registry(write_registry(tmp_path / "s.tsv", {"name": "thing"}))
    with pytest.raises(InputError, match="line 3: expected the tab-separated header"):
        read_registry(write_registry(tmp_path / "s.tsv", GOOD, header=COLUMNS[:-1]))
    (tmp_path / "s.tsv").write_text("# nothing\n")
    with pytest.raises(InputError, match="empty"):
        read_registry(tmp_path / "s.tsv")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://ftp.ensembl.org/pub/a/b.fa.gz", "ftp.ensembl.org/pub/a/b.fa.gz"),
        # The paths below were written by GNU wget 1.21.3 (`wget -x`), host and port aside.
        ("http://H.org:8765/a//b2", "h.org:8765/a/b2"),
        ("http://h:80/x", "h/x"),
        ("https://h:443/x", "h/x"),
        ("http://h/sp%20ace/x%2By+z&k", "h/sp ace/x+y+z&k"),
        ("http://h/q.php?id=3&f=a/b%20c", "h/q.php?id=3&f=a%2Fb c"),
        ("http://h/dir/", "h/dir/index.html"),
        ("http://h", "h/index.html"),
        ("http://h/?q=1", "h/index.html?q=1"),
        ("http://h/a/./c/../d", "h/a/d"),
        ("http://h/file%2Fslash", "h/file%2Fslash"),
        ("http://h/x%3Fy", "h/x?y"),
        ("http://h/caps;p=1", "h/caps;p=1"),
        ("http://h/frag#z", "h/frag"),
        ("http://h/tab%09x", "h/tab%09x"),
        ("http://h/a/%2E%2E/y", "h/a/%2E%2E/y"),
        ("http://user:pw@h/auth", "h/auth"),
        ("file:///data/my%20x.fa", "localhost/data/my x.fa"),
        ("/data/x.fa", "localhost/data/x.fa"),
        ("data/./x.fa", "workdir/data/x.fa"),
    ],
)
def test_local_path_is_that_of_wget(url, path):
    assert local_path(url) == path


def test_relative_path_never_climbs_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert local_path("../x.fa") == f"localhost{tmp_path.parent}/x.fa"


def test_file_addresses():
    assert is_remote("HTTPS://h/x") and not is_remote("/x") and not is_remote("file:///x")
    assert file_path("file:///a/b%20c") == Path("/a/b c")
    assert file_path("file://localhost/a") == Path("/a")
    with pytest.raises(InputError, match="file:///data"):
        file_path("file://data/x")
    with pytest.raises(InputError, match="expected an http"):
        file_path("ftp://h/x")


def test_missing_lists_addresses_and_places(tmp_path):
    here, mirror = tmp_path / "here.gz", tmp_path / "mirror"
    here.touch()
    (mirror / "h").mkdir(parents=True)
    (mirror / "h" / "second.gz").touch()
    lacking = source("https://h/lacking.gz", str(tmp_path / "absent"), checksum="bsdsum")
    sources = {
        "out/1": source("https://h/first.gz", "https://h/second.gz"),
        "out/2": source("https://h/x.gz", here.as_uri()),
        "out/3": lacking,
        str(here): source("https://h/fetched_before.gz"),
    }
    assert missing(sources, [mirror]) == [lacking]
    assert missing(list(sources.items()), [tmp_path]) == [sources["out/1"], lacking]
    text = describe_missing([lacking], [mirror, tmp_path])
    for part in (
        "https://h/lacking.gz",
        f"{mirror}/h/lacking.gz",
        f"{tmp_path}/h/lacking.gz",
        "/absent",
        "CHECKSUMS",
    ):
        assert part in text
    assert "'mirrors:'>/h/lacking.gz" in describe_missing([lacking], [])


def test_modules_of_the_snakefile_import_the_standard_library_only():
    code = (
        "import sys; before = set(sys.modules)\n"
        "import nucleotune.sources.registry, nucleotune.sources.mirror\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(names - set(sys.stdlib_module_names) - {'nucleotune'}))"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert run.stdout.strip() == ""
