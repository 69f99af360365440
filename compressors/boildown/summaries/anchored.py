"""One summary that grows: what comes next is merged into it, span by span."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from boildown.summaries.carrier import ID
from boildown.summaries.chunks import Chunk, chunks
from boildown.summaries.source import who_speaks
from boildown.summaries.standing import Written
from boildown.summaries.summary import Summary
from boildown.summaries.writing import Made, Task, Writer
from boildown.transcript import Message, Note, Summarized


@dataclass(frozen=True, slots=True)
class Anchored:
    """Sums up messages in spans of at most `chunk` tokens, each merged into the summary of those before.

    What an earlier run put beside its summary word for word is left out: what is still lost is found again.
    """

    chunk: int

    def __call__(self, writer: Writer, messages: Sequence[Message], earlier: Summary | None, tokens: int) -> Written:
        spans = chunks(messages, self.chunk, writer.counter)
        so_far, found = replace(earlier, verbatim=()) if earlier else None, list[Made]()
        speakers = frozenset[str]()
        for span in spans:
            (made,) = writer.write([Task(tokens, span, earlier=so_far or None, speakers=speakers)])
            found.append(made)
            so_far = made.summary
            speakers |= who_speaks(span)
        return Written(so_far or Summary(), account(writer.name, spans, found))


def account(
    name: str, spans: Sequence[Chunk], made: Sequence[Made], above: Iterable[tuple[Chunk, Made]] = ()
) -> Summarized:
    """How a summary came to be: `made` of each span, and what was made of longer ones `above` them."""
    pairs, longer = list(zip(spans, made, strict=True)), list(above)
    every = [one for _, one in (*pairs, *longer)]
    return Summarized(
        id=ID,
        model=name,
        spans=len(spans),
        read=sum(one.read for one in every),
        found=sum(one.found for one in every),
        mended=sum(one.mended for one in every),
        dropped=sum(one.dropped for one in every),
        cut=(*_cut(Summarized.SPAN, pairs), *_cut(Summarized.SUMMARIES, longer)),
    )


def _cut(what: str, pairs: Iterable[tuple[Chunk, Made]]) -> Iterator[Note]:
    return (Note(what, f"{span[0].id} to {span[-1].id}", one.why_cut) for span, one in pairs if one.why_cut)
