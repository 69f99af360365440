"""`boildown expand`: the file that a compressed one was made from."""

from __future__ import annotations

from boildown_cli.options import ArchiveFolder, Output, Small, SourceHash


def expand(
    file: Small,
    archive: ArchiveFolder = None,
    output: Output = "-",
    source: SourceHash = "",
) -> None:
    """Give back the file that a compressed one was made from, byte for byte.

    The file must have been compressed with --archive, and be as it was written then. Where something of its source is
    lost, the messages are named, nothing is written, and the exit code is 1.

    \b
    boildown expand small.jsonl --archive originals -o session.jsonl
    """
    from boildown_cli import files

    files.check_target(output, "--output")
    files.write([(output, _original(files.read(file), files.title(file), archive, source))])


def _original(small: bytes, where: str, folder: str | None, source: str) -> bytes:
    from boildown.archive.originals import find, restore
    from boildown.archive.store import opened
    from boildown.errors import UsageError

    if folder is None:
        raise UsageError(f"{where}: where is its source kept? Give --archive DIR, as when it was compressed.")
    with opened(folder) as archive:
        return restore(archive, find(archive, small, where, source))
