"""What a word is, which words only hold a sentence together, and which speak of the speaker."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, compress, repeat
from math import log1p
from string import punctuation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boildown.arrays import Bools, Ints

# Letters and digits of any script; a CJK run gives its characters one by one, for want of blanks between words.
_ALONE = "぀-ヿ㐀-鿿豈-﫿"
WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")

SEPARATOR = "\x1f"
"""A blank that stands in no text: put between texts it keeps their words apart."""
_WORDS = re.compile(f"{WORD.pattern}|{SEPARATOR}")
_SINGLE = re.compile(f"[{_ALONE}]")
_DIGITS = re.compile(r"[0-9\x80-\U0010ffff]")
_BATCH = 1 << 20
"""Characters that are read at once: enough to be quick, and little beside what a large file takes"""


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Neighbouring texts, of about so many characters together that they can be read at once."""
    if sum(map(len, texts)) < _BATCH:
        yield from [texts] if texts else ()
        return
    start = size = 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= _BATCH:
            yield texts[start:end]
            start, size = end, 0
    if start < len(texts):
        yield texts[start:]


def apart(found: Sequence[str]) -> tuple[list[str], Ints]:
    """Words without the separators among them, and how many of those stand before each word."""
    import numpy as np

    there = np.fromiter(map(SEPARATOR.__ne__, found), bool, len(found))
    return list(compress(found, there.tolist())), np.cumsum(~there)[there]


def _split(joined: str) -> tuple[list[str], Ints]:
    """The words of joined texts in lower case, and how many separators stand before each.

    With blanks in place of all that is in no word `str.split` finds them, in half of the time of an expression.
    """
    import numpy as np

    text = joined.lower()
    if not text.isascii() and _SINGLE.search(text):
        return apart(_WORDS.findall(text))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    held = np.bincount(codes) > 0
    held[[code for code in np.flatnonzero(held).tolist() if not chr(code).isalnum()]] = False
    there = held[codes]
    starts = np.flatnonzero(there & ~np.append(False, there[:-1]))
    said = np.where(there, codes, ord(" ")).astype("<u4").tobytes().decode("utf-32-le")
    return said.split(), np.cumsum(codes == ord(SEPARATOR))[starts]


def numbered(
    texts: Sequence[str], ids: dict[str, int], split: Callable[[str], tuple[list[str], Ints]] = _split
) -> tuple[Ints, Ints]:
    """The number that each word has in `ids`, where new ones are added, and the index of the text that it is in.

    `split` gives the words of several texts, in lower case unless it is said otherwise, and how many of the separators
    between them stand before each.
    """
    import numpy as np

    numbers, holders, before = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for batch in batches(texts):
        joined = SEPARATOR.join(batch)
        if joined.count(SEPARATOR) >= len(batch):
            joined = SEPARATOR.join(text.replace(SEPARATOR, " ") for text in batch)
        found, holder = split(joined)
        for word in dict.fromkeys(found):
            ids.setdefault(word, len(ids))
        numbers.append(np.fromiter(map(ids.__getitem__, found), np.int64, len(found)))
        holders.append(before + holder)
        before += len(batch)
    return np.concatenate(numbers), np.concatenate(holders)


def lone(texts: Sequence[str], ids: dict[str, int]) -> tuple[Ints, Ints]:
    """What `numbered` gives of those texts that are one word of plain letters with punctuation around."""
    import numpy as np

    words = list(map(str.strip, map(str.lower, texts), repeat(punctuation)))
    at = [n for n, word in enumerate(words) if word.isalpha() and word.isascii()]
    number = np.fromiter([ids.setdefault(words[n], len(ids)) for n in at], np.int64, len(at))
    return number, np.array(at, np.int64)


class Joined:
    """Texts without line breaks, to be searched all at once."""

    def __init__(self, texts: Sequence[str]) -> None:
        import numpy as np

        self.texts = texts
        self.joined = "\n".join(["", *texts])
        self.ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)

    def holding(self, form: re.Pattern[str]) -> Ints:
        """The indexes of the texts in which `form` occurs, ascending; a line break stands before each."""
        import numpy as np

        at = np.array([match.start() for match in form.finditer(self.joined)], np.int64)
        found = np.searchsorted(self.ends, at, "right")
        return np.asarray(found[np.diff(found, prepend=-1) != 0])

    def digits(self) -> Bools:
        """Which texts hold a digit of any script."""
        import numpy as np

        found = np.zeros(len(self.texts), bool)
        found[[n for n in self.holding(_DIGITS).tolist() if any(map(str.isdigit, self.texts[n]))]] = True
        return found


# The closed classes by language: articles, pronouns, auxiliaries, prepositions, conjunctions. Negations are not here.
FUNCTION = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            a about above after again all also am an and any are as at be because been before being below between both
            but by can could did do does doing down during each few for from further had has have having he her here
            hers herself him himself his how i if in into is it its itself just ll m me more most my myself now of off
            on once only or other our ours ourselves out over own re s same she should so some such t than that the
            their theirs them themselves then there these they this those through to too under until up ve very was we
            were what when where which while who whom whose why will with would you your yours yourself yourselves
            uh um d don doesn didn isn aren wasn weren haven hasn hadn won wouldn shouldn couldn""",
        "de": """
            aber alle als also am an auch auf aus bei bin bis bist da damit dann das dass dein dem den der des die dir
            doch du durch ein eine einem einen einer eines er es etwas euch für gegen hab habe haben hat hatte ich ihm
            ihn ihr im in ist ja kann können man mein mich mir mit nach noch nun nur ob oder schon sehr sein seine sich
            sie sind so über um und uns unser unter vom von vor war was weil wenn wer werden wie wieder wir wird wo zu
            zum zur""",
        "fr": """
            à au aux avec c ce ces cette d dans de des du elle elles en est et eu il ils j je l la le les leur lui m ma
            mais me mes moi mon même n nos notre nous on ont ou où par plus pour qu que qui s sa se ses son sont suis
            sur t ta te tes toi ton tu un une vos votre vous y été être""",
        "es": """
            a al algo como con cual cuando de del desde donde el ella ellos en entre era es esa ese eso esta este esto
            está están fue ha han hasta hay la las le les lo los me mi mis muy más nos o para pero por porque que qué
            se ser si sido sobre son soy su sus también te tiene todo tu tus un una uno unos y ya yo""",
        "it": """
            a ai al alla anche c che chi ci come con cui d da dal dalla degli dei del della di e era gli ha ho i il in
            io l la le lei lo lui ma mi mio nei nel nella o per più quando quella quello questa questo se sei si sono
            su suo sua tra tu un una uno vi voi è""",
        "pt": """
            a ao aos as com como da das de dele dela do dos e ela ele em entre era essa esse esta este eu foi isso isto
            já lhe mas me mesmo meu minha muito na nas no nos num numa o os ou para pela pelo por quando que quem se
            ser seu sua são também te tem um uma você vocês à é""",
        "nl": """
            aan al als bij dan dat de deze die dit door dus een en er haar had heb hebben heeft hem het hij hoe hun ik
            in is ja je kan maar me met mij mijn naar nog nu of om onze ook op over te toch tot u uit van veel voor was
            wat we wel wie wij wil worden wordt ze zich zij zijn zo zou""",
        "ru": """
            а без бы был была были было быть в вам вас во вот все всё вы где да для до его ее её если есть еще ещё же
            за и из или им их к как ко когда кто ли меня мне мой моя мы на над нам нас наш но о об он она они оно от по
            под при с сам со так также такой там то тогда того тоже только том ты у уже что чтобы эта эти это этот я""",
        "zh": "的 了 是 在 和 就 也 都 而 及 与 着 或 之 吗 呢 吧 啊 这 那",
        "ja": "は が を に の と も へ で や か ね よ た て る し",
        "ar": "في من على إلى عن مع هذا هذه ذلك التي الذي هو هي كان أن إن قد ثم أو و",
        "hi": "का की के को में से पर है हैं था थी और या यह वह ये वे भी तो ही कि एक",
    }.items()
}

LITTLE = frozenset().union(*FUNCTION.values())
"""The function words of all these languages"""


def content(text: str) -> set[str]:
    """The words of a text that are no function words, lower case."""
    return {word for word in WORD.findall(text.lower()) if word not in LITTLE}


def rarity(said: Sequence[set[str]]) -> dict[str, float]:
    """ln(1 + N / (1 + df)) of each word (Spärck Jones 1972), df being the number of the N sets that hold it."""
    often = Counter(chain.from_iterable(said))
    return {word: log1p(len(said) / (1 + many)) for word, many in often.items()}


def languages(often: Mapping[str, int]) -> list[str]:
    """The languages that are at least half as frequent as the commonest, by how often their function words are said."""
    most = max(often.values())
    return [language for language, seen in often.items() if 2 * seen >= most]


def spoken(held: Counter[str]) -> list[str]:
    """The languages that a text is in, by how often it holds each word in lower case: all where no word tells."""
    return languages({language: sum(held[word] for word in listed) for language, listed in FUNCTION.items()})


def little(held: Counter[str]) -> frozenset[str]:
    """The function words of the languages that a text is in."""
    return frozenset().union(*(FUNCTION[language] for language in spoken(held)))


FIRST_PERSON = frozenset(
    """
    i my me mine myself we our ours us
    ich mein meine meinen meinem mir mich wir unser unsere uns
    je j mon mes moi nous notre nos
    yo mi mis mí nosotros nuestro nuestra
    io mio mia miei noi nostro nostra
    eu meu minha meus nós nosso nossa
    ik mijn mij wij onze
    я мой моя мои мне меня мы наш наша нам нас
    我 私 僕 俺 أنا نحن मैं मेरा मेरी मेरे हम हमारा
    """.split()
)
