"""Where files may be without a network, and what offline mode lacks.

Standard library only: offline runs are checked when the Snakefile is parsed, before any job starts.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nucleotune.sources.registry import Source, file_path, is_remote, local_path


def mirror_places(source: Source, mirrors: Iterable[str | Path]) -> list[tuple[str, Path]]:
    """Return (candidate URL, its path in a mirror) in the order of search: mirror by mirror."""
    return [
        (url, Path(mirror) / local_path(url))
        for mirror in mirrors
        for url in source.urls
        if is_remote(url)
    ]


def missing(
    sources: Mapping[str, Source] | Iterable[tuple[str | Path, Source]],
    mirrors: Sequence[str | Path],
) -> list[Source]:
    """Return the sources (resolved) that cannot be had without the network, in the order given.

    sources: output path -> source. One is available if its output exists already, or the path of a candidate in a
    mirror, or a candidate that is itself a file.
    """
    pairs = sources.items() if isinstance(sources, Mapping) else sources
    return [
        source
        for output, source in pairs
        if not Path(output).is_file()
        and not any(path.is_file() for _, path in mirror_places(source, mirrors))
        and not any(file_path(url).is_file() for url in source.urls if not is_remote(url))
    ]


def describe_missing(
    sources: Iterable[Source], mirrors: Sequence[str | Path], set_in: str = "in the configuration"
) -> str:
    """Return a readable list of `sources`: the URLs of each and the places to put its file.

    set_in: where `offline: true` is set, as `config.set_in` says it.
    """
    sources = list(sources)
    lines = [
        f"{len(sources)} file(s) are needed and cannot be fetched: `offline: true` is set {set_in}."
        " With a network, set `offline: false` there; without one:"
    ]
    for source in sources:
        lines += [f"- {source.name} ({source.note})" if source.note else f"- {source.name}"]
        lines += [f"    {place}" for place in describe_places(source, mirrors)]
    lines.append(
        "A machine with a network fetches them in this layout with `wget -x <URL>`; list its directory under"
        " 'mirrors:' in the configuration."
    )
    return "\n".join(lines)


def describe_places(source: Source, mirrors: Sequence[str | Path]) -> list[str]:
    """Return lines that pair each candidate of `source` with the places of its file."""
    lines = []
    for url in source.urls:
        if is_remote(url):
            lines.append(f"from {url}")
            folders = list(mirrors) or ["<a directory listed under 'mirrors:'>"]
            lines += [f"  to {Path(folder) / local_path(url)}" for folder in folders]
        else:
            lines.append(f"at {file_path(url)}")
    if source.checksum == "bsdsum":
        lines.append("with the file CHECKSUMS of the same directory next to it")
    return lines
