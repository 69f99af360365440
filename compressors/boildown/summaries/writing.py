"""Summaries as a model writes them: asked for, asked again where they are no use, shortened, checked and mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from boildown.errors import AnswerError, ModelError
from boildown.summaries import prompts
from boildown.summaries.fallback import cut, shortened
from boildown.summaries.mending import Review
from boildown.summaries.prompts import Fault
from boildown.summaries.summary import Summary
from boildown.summarizers.calls import Model, Outcome, Request
from boildown.tokens import Counter
from boildown.transcript import Message

T = TypeVar("T")

INVENTED = "nothing of the answer is in its source"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be summed up in at most `tokens`, counted as the summary's body.

    That is `messages`, or the `parts` of a larger span, or the summary of what came `earlier` with `messages` after it.
    One that is too long is asked for once more, then cut where a sentence ends. Where it is `bounded`, it is cut at
    once, and what it leaves of its tokens is all that may be sent to mend it: so that with what is made of it, no more
    than `tokens` are read besides its source.

    speakers  who speaks in what was summed up before
    """

    tokens: int
    messages: tuple[Message, ...] = ()
    parts: tuple[Summary, ...] = ()
    earlier: Summary | None = None
    bounded: bool = False
    speakers: frozenset[str] = frozenset()

    @property
    def before(self) -> tuple[Summary, ...]:
        """The summaries that it starts from."""
        return (self.earlier, *self.parts) if self.earlier else self.parts

    def size(self, counter: Counter) -> int:
        """Tokens of what is summed up, instructions left out."""
        return sum(counter.messages(self.messages)) + sum(counter.texts(one.body() for one in self.before))

    def request(self, name: str) -> Request:
        return prompts.writing(name, self.messages, self.tokens, self.earlier, self.parts)


@dataclass(frozen=True, slots=True)
class Made:
    """A summary, and how it came to be.

    read     tokens of the conversation and of summaries that the model was sent, as often as it was, instructions left
             out, answers from before included
    found    lines that said what their source does not say; they were `mended`, or `dropped`
    why_cut  why its messages were cut offline instead, "" where the model summed them up
    """

    summary: Summary
    read: int = 0
    found: int = 0
    mended: int = 0
    dropped: int = 0
    why_cut: str = ""


@dataclass(frozen=True, slots=True)
class _Reply(Generic[T]):
    """What could be read of the replies to a request, which was made once or twice; None, and why, if nothing could."""

    made: T | None
    why: str = ""
    times: int = 1
    failed: bool = False

    def read(self, tokens: int) -> int:
        """How many tokens a model read in all, where a request sends it so many."""
        return 0 if self.failed else tokens * self.times


@dataclass(frozen=True, slots=True)
class Writer:
    """Has summaries written by the model called `name`. All tasks that are given together are asked at once."""

    model: Model
    name: str
    counter: Counter

    def write(self, tasks: Sequence[Task]) -> list[Made]:
        """The summary of each task, none longer than it may be, and none with a thing that its source lacks.

        A span that the model gives nothing of use for, also when asked again, is cut offline. Raises UsageError or
        CostError where no further call can be made.
        """
        requests = [task.request(self.name) for task in tasks]
        replies = self._replies(requests, [prompts.made] * len(tasks))
        made = [self._made(*each) for each in zip(tasks, replies, strict=True)]
        return self._checked(tasks, self._shortened(tasks, made))

    def _replies(self, requests: Sequence[Request], reads: Sequence[Callable[[str], T | None]]) -> list[_Reply[T]]:
        """What is read of each reply. That of which nothing can be read is asked for once more."""
        if not requests:
            return []
        found = [_reply(outcome, read) for outcome, read in zip(self.model.ask(requests), reads, strict=True)]
        useless = [n for n, reply in enumerate(found) if reply.made is None and not reply.failed]
        again = [prompts.again(requests[n]) for n in useless]
        for n, outcome in zip(useless, self.model.ask(again) if again else [], strict=True):
            found[n] = replace(_reply(outcome, reads[n], whole=False), times=2)
        return found

    def _made(self, task: Task, reply: _Reply[Summary]) -> Made:
        made = Made(reply.made or Summary(), reply.read(task.size(self.counter)))
        return made if reply.made is not None else self._cut(task, reply.why, made)

    def _shortened(self, tasks: Sequence[Task], made: Sequence[Made]) -> list[Made]:
        """`made`, where a summary that is too long was asked for again."""
        done = list(made)
        pairs = enumerate(zip(tasks, made, strict=True))
        long = [n for n, (task, one) in pairs if not task.bounded and self._size(one) > task.tokens]
        requests = [prompts.shortening(self.name, made[n].summary, tasks[n].tokens) for n in long]
        for n, reply in zip(long, self._replies(requests, [prompts.made] * len(long)), strict=True):
            read = done[n].read + reply.read(self._size(done[n]))
            done[n] = replace(done[n], summary=reply.made or done[n].summary, read=read)
        return done

    def _checked(self, tasks: Sequence[Task], made: Sequence[Made]) -> list[Made]:
        """`made` without lines that say what their source does not, cut at a sentence where they are still too long."""
        done = [
            replace(one, summary=shortened(one.summary, task.tokens, self.counter)) if not one.why_cut else one
            for task, one in zip(tasks, made, strict=True)
        ]
        reviews = {
            n: review
            for n, (task, one) in enumerate(zip(tasks, done, strict=True))
            if not one.why_cut and (review := Review(one.summary, task.messages, task.before, task.speakers)).wrong
        }
        shown = {n: self._shown(tasks[n], done[n], review.faults()) for n, review in reviews.items()}
        asked = [n for n, faults in shown.items() if faults]
        requests = [prompts.mending(self.name, shown[n]) for n in asked]
        reads = [partial(prompts.mended, number=len(shown[n])) for n in asked]
        replies = dict(zip(asked, self._replies(requests, reads), strict=True))
        for n, review in reviews.items():
            done[n] = self._settled(tasks[n], done[n], review, shown[n], replies.get(n))
        return done

    def _shown(self, task: Task, made: Made, faults: Sequence[Fault]) -> Sequence[Fault]:
        """The first of `faults`, as many as may be sent: what is not sent is left out of the summary."""
        if not task.bounded:
            return faults
        lines = self.counter.texts(fault.line for fault in faults)
        left, shown = task.tokens - self._size(made) + sum(lines), 0
        for line, quoted in zip(lines, self.counter.texts(fault.quoted for fault in faults), strict=True):
            left -= line + quoted
            if left < 0:
                break
            shown += 1
        return faults[:shown]

    def _settled(
        self, task: Task, made: Made, review: Review, shown: Sequence[Fault], reply: _Reply[list[str]] | None
    ) -> Made:
        after = review.settled(reply.made if reply else None)
        read = made.read + (reply.read(sum(self.counter.texts(fault.quoted for fault in shown))) if reply else 0)
        one = replace(made, read=read, found=after.found, mended=after.mended, dropped=after.dropped)
        summary = shortened(after.summary, task.tokens, self.counter)
        return replace(one, summary=summary) if summary else self._cut(task, INVENTED, one)

    def _cut(self, task: Task, why: str, made: Made) -> Made:
        """What is left of the task's source where it is cut offline."""
        return replace(made, summary=cut(task.messages, task.before, task.tokens, self.counter), why_cut=why)

    def _size(self, made: Made) -> int:
        return sum(self.counter.texts([made.summary.body()]))


def _reply(outcome: Outcome, read: Callable[[str], T | None], whole: bool = True) -> _Reply[T]:
    """What is read of an outcome; unless it must be `whole`, of an answer that was cut off all but its last line."""
    if isinstance(outcome, ModelError):
        begun = outcome.text.rpartition("\n")[0] if isinstance(outcome, AnswerError) and not whole else ""
        if begun and (found := read(begun)) is not None:
            return _Reply(found)
        return _Reply(None, str(outcome), failed=not isinstance(outcome, AnswerError))
    found = read(outcome.text)
    return _Reply(found, "" if found is not None else "the answer was not in the form that was asked for")
