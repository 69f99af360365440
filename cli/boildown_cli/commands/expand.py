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

    Without --archive, only what 'dedup' and 'delta' wrote as references is put back, from the file itself.

    \b
    boildown expand small.jsonl --archive originals -o session.jsonl
    """
    from boildown_cli import files

    files.check_target(output, "--output")
    files.write([(output, _original(files.read(file), files.title(file), archive, source))])


def _original(small: bytes, where: str, folder: str | None, source: str) -> bytes:
    from boildown.archive.originals import find, restore
    from boildown.archive.store import opened

    if folder is None:
        return _without_references(small, where)
    with opened(folder) as archive:
        return restore(archive, find(archive, small, where, source))


def _without_references(small: bytes, where: str) -> bytes:
    """The file with each reference replaced by what it stands for. Raises UsageError where it has none."""
    from boildown import marks
    from boildown.errors import UsageError
    from boildown.run import conversations, reader

    form, plain, code = reader(small, where)
    found = list(conversations(form, plain, where))
    if not any(marks.referred(transcript) for transcript in found):
        raise UsageError(
            f"{where}: where is its source kept? Give --archive DIR, as when it was compressed. "
            "Without it only references are put back, and the file has none."
        )
    return code.bom + code.encode(b"".join(form.write(map(marks.restore, found))))
