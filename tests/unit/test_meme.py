"""MEME files: what the format allows, names, and what is refused."""

import pytest

from nucleotune.attribution.meme import read_motifs
from nucleotune.attribution.motifs import by_element
from nucleotune.errors import InputError

HEAD = "MEME version 5\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
MATRIX = "letter-probability matrix:\n 1 0 0 0\n0.1 .2 3e-1 0.4\n"
ROWS = [[1, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]]


def motifs(tmp_path, text):
    path = tmp_path / "x.meme"
    path.write_text(text)
    return {name: matrix.tolist() for name, matrix in read_motifs(path).items()}


def test_rna_and_names(tmp_path):
    found = motifs(
        tmp_path,
        "MEME version 4\n\nALPHABET= ACGU\n\nMOTIF M1_0.6 UGU\n"
        "letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0\n0 0 0 1\n0.1 0.2 0.3 0.4\n\n"
        "MOTIF b\nletter-probability matrix: alength= 4 w= 1\n 1 0 0 0\nURL x\n",
    )
    assert list(found.items()) == [
        ("M1_0.6", [[0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4]]),
        ("b", [[1, 0, 0, 0]]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "MOTIF a\n" + MATRIX,
        "MEME version 4\n\nMOTIF a\n" + MATRIX,
        "ALPHABET= ACGU\nMOTIF\ta other\n\n" + MATRIX + "\nURL http://x\n",
        HEAD + "MOTIF a\n" + MATRIX.replace(":", ": alength= 4 w= 2 nsites= 20 E= 1e-5", 1) + "-------\n1 0 0 0\n",
        HEAD + "MOTIF a\n" + MATRIX.replace("matrix:\n", "matrix: nsites= 20\n\n"),
        'MEME version 5\nALPHABET "DNA" DNA-LIKE\nA "Adenine" CC0000 ~ T\nC\nG ~ C\nT\nN = ACGT\nU = T\n'
        "END ALPHABET\nMOTIF a\n" + MATRIX,
    ],
    ids=["minimal", "no alphabet", "rna", "sizes", "nsites alone", "defined alphabet"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_forms_of_the_format(tmp_path, text, end):
    (tmp_path / "x.meme").write_bytes(text.replace("\n", end).encode())
    assert [(n, m.tolist()) for n, m in read_motifs(tmp_path / "x.meme").items()] == [("a", ROWS)]


def test_motifs_of_one_name_are_variants_of_one_element(tmp_path):
    other = MATRIX.replace(" 1 0", " 0 1")
    found = motifs(
        tmp_path, HEAD + f"MOTIF PTBP1\n{MATRIX}MOTIF QKI\n{MATRIX}MOTIF PTBP1 2\n{other}"
    )
    assert list(found) == ["PTBP1.1", "QKI", "PTBP1.2"]
    assert found["PTBP1.1"] == ROWS and found["PTBP1.2"][0] == [0, 1, 0, 0]
    assert by_element(found) == {"PTBP1": ["PTBP1.1", "PTBP1.2"], "QKI": ["QKI"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("MOTIF a\n" + MATRIX, "expected MEME's text format"),
        ("<html>\n", "expected MEME's text format"),
        (HEAD, "no motif there"),
        (HEAD.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY") + "MOTIF a\n" + MATRIX, "line 3: alphabet 'ACDEF"),
        ("ALPHABET \"X\"\nA\nG\nC\nT\nEND ALPHABET\nMOTIF a\n" + MATRIX, "line 6: alphabet 'AGCT'"),
        ("ALPHABET \"X\"\nA\nMOTIF a\n" + MATRIX, "without 'END ALPHABET'"),
        (HEAD + "MOTIF\n" + MATRIX, "line 7: a motif without a name"),
        (HEAD + "MOTIF a\nMOTIF b\n" + MATRIX, r"motif a \(line 7\): 0 lines 'letter-prob"),
        (HEAD + "MOTIF a\n" + MATRIX + MATRIX, r"motif a \(line 7\): 2 lines"),
        (HEAD + "MOTIF a\n" + MATRIX.replace(":", ": w= 3", 1), "2 rows of 4 numbers; expected 3"),
        (HEAD + "MOTIF a\n" + MATRIX.replace(":", ": w= 1", 1), "2 rows of 4 numbers; expected 1"),
        (HEAD + "MOTIF a\n" + MATRIX.replace(":", ": alength= 20 w= 2", 1), "alength= 20"),
        (HEAD + "MOTIF a\nletter-probability matrix:\n", "0 rows"),
        (HEAD + "MOTIF a\n" + MATRIX.replace("0.4", "nan"), "line 10: expected 4 shares"),
        (HEAD + "MOTIF a\n" + MATRIX.replace("0.4", "-0.4"), "line 10: expected 4 shares"),
        (HEAD + "MOTIF a\n" + MATRIX.replace("0.4", "0.5"), "add up to 1"),
        (HEAD + "MOTIF a\n" + MATRIX.replace("0.4", ""), "line 10: expected 4 shares"),
        (HEAD + f"MOTIF a\n{MATRIX}MOTIF a.1\n{MATRIX}MOTIF a\n{MATRIX}", "'a' occurs 2 times, and there is 'a.1'"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=rf"x\.meme: .*{message}|x\.meme: {message}"):
        motifs(tmp_path, text)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.meme: no such file"):
        read_motifs(tmp_path / "none.meme")
