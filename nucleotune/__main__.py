"""Command line: `python -m nucleotune init FILE`, `.. predict MODEL FASTA`, `.. rbp-sheet FILE|DIRECTORY`."""

import argparse
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from nucleotune import __version__
from nucleotune.errors import InputError
from nucleotune.outputs import STDOUT, check_output, open_output
from nucleotune.studies.task.command import add_command


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status (1 for bad input, whose message goes to stderr)."""
    parser = argparse.ArgumentParser(prog="nucleotune", description=__doc__)
    parser.add_argument("--version", action="version", version=f"nucleotune {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    add_command(commands)
    predict = commands.add_parser(
        "predict",
        help="score the sequences of a FASTA file with a trained model",
        description="Score the sequences of a FASTA file with a model directory of a finished run"
        " (results/<study>/<dataset>/<method>/seed<seed>/model). Only this directory is needed. A profile model"
        " writes one row per position; the first nucleotide is 0.",
    )
    predict.add_argument("model", type=Path, help="model directory")
    predict.add_argument(
        "fasta", type=Path, help="sequences, plain or gzip; a pipe, or - for standard input"
    )
    predict.add_argument(
        "-o",
        "--output",
        default=STDOUT,
        help="TSV to write, compressed if its name ends in .gz; a pipe, a device, or - for standard output (default)",
    )
    predict.add_argument("--device", help="cpu, cuda or cuda:<number> (default: cuda if available)")
    predict.add_argument("--threads", type=_threads, help="CPU threads (default: all cores)")
    predict.set_defaults(run=_predict)
    sheet = commands.add_parser(
        "rbp-sheet",
        help="list the RBPs of a file or directory, as the sheet of a collection",
        description="Write the sheet of a collection (config/collections/<name>.tsv) from RBPsuite's file or archive,"
        " from ENCODE's metadata.tsv for eCLIP experiments, or from a directory of FASTA files <RBP>.positive.fa and"
        " <RBP>.negative.fa, plain or gzip.",
    )
    sheet.add_argument(
        "file",
        type=Path,
        help="RBPsuite's sequences (a pipe, or - for standard input), metadata.tsv, or a directory of FASTA pairs",
    )
    sheet.set_defaults(run=_sheet)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        options.run(options)
        sys.stdout.flush()
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # its reader, such as `head`, has enough
        _drop_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"Error: {where}{error.strerror or error}", file=sys.stderr)
        _drop_output()
        return 1
    return 0


def _drop_output() -> None:
    """Give up what could not be written to the standard output, else Python tries once more as it ends."""
    with suppress(OSError, ValueError):  # it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _threads(text: str) -> int:
    """Argument type: a number of threads that this machine has cores for."""
    cores = os.cpu_count() or 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= cores):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected a number from 1 to {cores}, the cores of this machine"
        )
    return int(text)


def _predict(options: argparse.Namespace) -> None:
    inputs = [options.fasta]
    if options.model.is_dir():
        inputs += options.model.iterdir()
    check_output(options.output, inputs)
    # Here, because they take seconds to import.
    from nucleotune.frames import write_tsv
    from nucleotune.predict import predict
    from nucleotune.sequence.fasta import read_ids

    table = predict(
        options.model, read_ids(options.fasta), device=options.device, threads=options.threads
    )
    with open_output(options.output, inputs) as stream:
        write_tsv(stream, table)


def _sheet(options: argparse.Namespace) -> None:
    from nucleotune.frames import write_tsv
    from nucleotune.genome.manifest import read_manifest
    from nucleotune.studies.rbp.readers import list_fasta_pairs, list_rbpsuite

    if options.file.is_dir():
        print("rbp", "positives", "negatives", sep="\t")
        for name, files in list_fasta_pairs(options.file).items():
            print(name, *files, sep="\t")
        return
    if options.file.suffix == ".tsv":
        table = read_manifest(options.file)[["rbp", "cell_line", "accession", "md5"]]
        write_tsv(sys.stdout, table)
        return
    found = list_rbpsuite(options.file)
    print("rbp", *sorted(name for name, n in found.items() if all(n.values())), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
