"""An item's work, from its bytes to its output: the same in a process here and on another machine."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace

from boildown.archive.store import digest
from boildown.batch import places
from boildown.batch.items import Item, Result, Status
from boildown.errors import BoildownError, NoConversationError, NotMetError
from boildown.pipeline import Named
from boildown.report import Report, tool_version
from boildown.run import Job, run
from boildown.summarizers.together import Together
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Work:
    """Does items by `job`. It can be pickled unless the job has a model.

    staging  the folder for outputs that are not whole yet, on the disk of those
    archive  the directory where sources are kept first, and messages that a stage takes out; "" where none are
    """

    job: Job
    staging: str
    archive: str = ""

    def __call__(self, item: Item) -> Result:
        """What became of the item. Raises only what ends the whole run: a model that is not to be asked any more."""
        start = time.perf_counter()
        try:
            found = self._done(item)
        except NotMetError as error:
            found = self._failed(item, "not met", error)
        except NoConversationError as error:
            found = self._failed(item, "unreadable" if item.named else "skipped", error)
        except BoildownError as error:
            found = self._failed(item, "unreadable", error)
        except places.StoreError as error:
            found = self._failed(item, "unreadable", BoildownError(f"{item.target}: {error}"))
        except MemoryError:
            why = BoildownError(f"{item.where}: out of memory. Split the file, or run where there is more memory.")
            found = self._failed(item, "unreadable", why)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # tiktoken's panics are no Exception
            found = Result(item.source, item.target, "bug", _bug(item, error))
        return replace(found, seconds=time.perf_counter() - start)

    def _failed(self, item: Item, status: Status, error: BoildownError) -> Result:
        if isinstance(self.job.model, Together) and self.job.model.stop is not None:
            raise self.job.model.stop
        return Result(item.source, item.target, status, str(error))

    def _done(self, item: Item) -> Result:
        data = places.read(item.source) if item.data is None else item.data
        content = digest(data)
        if content == item.known:
            return Result(item.source, item.target, "unchanged", content=content)
        job = self.job if item.read_as is None else replace(self.job, read_as=item.read_as)
        leaving = list[Transcript]()
        if self.archive:
            job = replace(job, archive=lambda found: leaving.__setitem__(slice(None), found))
        written, report = run(data, item.where, job, item.target)
        cut = sum(len(one.cut) for account in report.conversations for one in account.summaries if one.spans)
        if job.strict and cut:
            raise NotMetError(f"{item.where}: {cut:,} spans were cut offline for want of a summary. Run again.")
        if self.archive:
            self._keep(data, written, report)
            self._put(leaving, item, content)
        places.write(item.target, written, self.staging)
        return Result(
            item.source,
            item.target,
            "done",
            format_in=report.format_in,
            format_out=report.format_out,
            conversations=len(report.conversations),
            messages=sum(len(account.messages) for account in report.conversations),
            bytes_in=len(data),
            bytes_out=len(written),
            tokens_in=report.tokens_in,
            tokens_out=report.tokens_out,
            cut=cut,
            content=content,
            output=digest(written),
            stamp=places.stamp(item.target),
        )

    def _keep(self, data: bytes, written: bytes, report: Report) -> None:
        from boildown.archive.originals import keep
        from boildown.archive.store import opened

        with opened(self.archive, write=True) as archive:
            keep(archive, data, written, report)

    def _put(self, leaving: Sequence[Transcript], item: Item, content: str) -> None:
        """Put what a stage took out into the archive."""
        from boildown.memory.archiving import put_archived

        put_archived(self.archive, leaving, item.where, content, called=item.called)

    def settings(self) -> str:
        """The hash of all that decides an output besides its input: options, files that they name, the version."""
        job = self.job
        pins, pattern = job.pins, job.pins.pattern
        said = [
            tool_version(),
            *(job.pipeline, job.budget, job.ratio, job.window),
            *(pins.system, pins.first, pins.recent, pattern and (pattern.pattern, pattern.flags)),
            *(job.read_as, job.write_as, job.tokenizer, job.strict),
            *(os.path.realpath(self.archive) if self.archive else "", os.environ.get("ANTHROPIC_BASE_URL", "")),
            *(digest(_content(path)) for named in job.stages for path in files(named).values()),
        ]
        return digest(repr(said).encode())


def files(named: Named) -> dict[str, str]:
    """The files that a stage's options name, such as a scorer, by the names of those options."""
    values = ((name, getattr(named.stage, name)) for name in getattr(named.stage, "__dataclass_fields__", {}))
    return {name: value for name, value in values if isinstance(value, str) and os.path.isfile(value)}


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _bug(item: Item, error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{item.where}: a bug in boildown: {type(error).__name__} at {frame.filename}, line {frame.lineno}, in "
        f"{frame.name}. 'boildown compress' with this file says what to report."
    )
