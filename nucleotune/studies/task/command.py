"""The command `nucleotune init`, for the command line; its work is in `init`."""

from pathlib import Path
from typing import Any


def add_command(commands: Any) -> None:
    """Add `init` to a parser's commands."""
    parser = commands.add_parser(
        "init",
        help="look at a table of sequences and write the files of a run on it",
        description="Look at your files (a table as TSV, CSV or Parquet with a header line, FASTA, or BED with"
        " --genome),"
        " say what they seem to hold, and write a task file (config/tasks/<name>.yaml) and a configuration. Options"
        " overrule guesses. Several files: parts whose names say train and test, a FASTA or BED file a class, or tables"
        " that are put together.",
    )
    parser.add_argument("files", nargs="+", type=Path, help="your data, plain or gzip")
    parser.add_argument("--name", help="name of the task (default: that of the first file)")
    parser.add_argument("--title", help="title in tables and figures (default: the name)")
    parser.add_argument("--sequence", help="column of the sequences")
    parser.add_argument(
        "--label",
        action="append",
        help="column of the label (several times for several), or field of FASTA headers",
    )
    parser.add_argument("--id", help="column of the rows' names")
    parser.add_argument("--group", help="column of what rows belong together by, such as a gene")
    parser.add_argument(
        "--kind", choices=["classes", "labels", "numbers"], help="what is predicted"
    )
    parser.add_argument("--separator", help="what stands between several labels in one column")
    parser.add_argument("--genome", help="FASTA file that sequences of places are cut from")
    parser.add_argument(
        "--split",
        choices=["given", "random", "group", "chromosome", "similarity"],
        help="how rows are divided into training, validation and test",
    )
    parser.add_argument(
        "--strands", choices=["one", "both"], help="whether relatives on the other strand count"
    )
    parser.add_argument(
        "-o",
        "--output",
        default="my-run.yaml",
        help="configuration to write (default: my-run.yaml)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    parser.set_defaults(run=_run)


def _run(options: Any) -> None:
    # Here, because it takes seconds to import.
    from nucleotune.studies.task.init import init

    settings = {key: value for key, value in vars(options).items() if key not in ("run", "command")}
    print(init(settings.pop("files"), **settings))
