"""A store of messages in LanceDB: what is put in a transaction is one step, and every seat is found by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boildown.archive.places import is_remote
from boildown.memory.keys import clean, idf, keys, placed, told, writable
from boildown.memory.lance import words
from boildown.memory.lance.sessions import HEAD, Sessions, head, owner, seat, thread
from boildown.memory.lance.table import Row, Table, connected, locked
from boildown.memory.messages import Kept, Origin, Said, Scope, Seat, Session, Vectors, Whose

if TYPE_CHECKING:
    import pyarrow as pa

    from boildown.arrays import Bools, Floats

_KEPT = ("thread", "place", "called", "role", "text", "name", "time", "moment", "source", "file")
_ENOUGH = 2000
"""Messages that are weighed to find the best of them"""
_TRIES = 8
_HELD = 256
"""Answers that are held at once"""
_WEIGHED = ("thread", "place", "name", "terms", "length")


class LanceStore:
    """Messages in LanceDB: a `Memory`. `address` is where its tables are."""

    def __init__(self, folder: str, address: str, messages: Table, vectors: Table) -> None:
        self.folder = folder
        self._lock = address, is_remote(address)
        self._messages, self._vectors = messages, vectors
        self._known = Sessions(messages)
        self._words = words.Words()
        self._pending: dict[str, Row] = {}
        self._replaces = False
        self._pending_vectors: list[Row] = []
        self._held: dict[tuple[str, ...], Any] = {}
        self._held_of = -1

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As `Memory.transaction`: nothing is written before its end, and then all of it in one step."""
        with locked(*self._lock):
            self._messages.renew()
            try:
                yield
                self._write()
            finally:
                self._pending, self._pending_vectors, self._replaces = {}, [], False

    def _write(self) -> None:
        if self._pending:
            self._messages.write(list(self._pending.values()), over=self._replaces)
            threads = {str(row["thread"]) for row in self._pending.values()}
            for which in threads if self._lock[1] else ():
                self._settle(which)
            self._messages.tend()
        if self._pending_vectors:
            self._vectors.renew()
            self._vectors.write(self._pending_vectors, over=True)
            self._vectors.tend()

    def _settle(self, which: str) -> None:
        """Set right what another put in the same places meanwhile, where nobody waits, until all is sound."""
        for _ in range(_TRIES):
            self._messages.renew()
            self._pending = {}
            order = self._order(which)
            self._move(which, {key: n for n, (key, place) in enumerate(order) if place != n})
            if not self._pending:
                break
            self._messages.write(list(self._pending.values()), over=True, new=False)

    def put(self, origin: Origin, said: Sequence[Said]) -> int:
        """As `Memory.put`; inside of a transaction."""
        which = self._begin(origin)
        order = self._order(which)
        cleaned = [clean(one) for one in said]
        known = {bytes.fromhex(key): n for n, (key, _) in enumerate(order)}
        fresh = [(after, key.hex(), cleaned[i]) for after, i, key in placed(list(keys(cleaned)), known)]
        self._add(origin, which, fresh, order)
        return len(fresh)

    def append(self, origin: Origin, said: Sequence[Said], place: int) -> int:
        """As `Memory.append`; inside of a transaction."""
        which = self._begin(origin)
        cleaned = [clean(one) for one in said]
        names = [told(one).hex() for one in cleaned]
        within = f"thread = '{which}' AND place >= {place} AND place < {place + len(said)}"
        there = {n: key for key, n in _pairs(self._messages.rows(within, ("key", "place")), len(which))}
        end = self._messages.count(f"thread = '{which}' AND place >= 0")
        if place > end or any(there.get(place + n, name)[:32] != name for n, name in enumerate(names)):
            place, there = end, {}
        new = [n for n in range(len(names)) if place + n not in there]
        often = self._often(which, {names[n] for n in new})
        rows = []
        for n in new:
            rows.append((place + n, f"{names[n]}{often[names[n]]:08x}", cleaned[n]))
            often[names[n]] += 1
        self._insert(origin, which, rows)
        return place + len(said)

    def _begin(self, origin: Origin) -> str:
        """Have the session's row written, where there is none like it: the name of its thread."""
        row, replaces = head(origin, self._messages)
        which = thread(origin.user, origin.session)
        if row is not None:
            self._pending[str(row["key"])] = row
            self._replaces |= replaces
        return which

    def _order(self, which: str) -> list[tuple[str, int]]:
        """What a session's messages are told by, in their order, with their places."""
        found = _pairs(self._messages.rows(f"thread = '{which}' AND place >= 0", ("key", "place")), len(which))
        known = dict(found)
        known |= {
            str(row["key"])[len(which) :]: int(str(row["place"]))
            for row in self._pending.values()
            if row["thread"] == which and row["place"] != HEAD
        }
        return sorted(known.items(), key=lambda one: (one[1], one[0]))

    def _often(self, which: str, names: Iterable[str]) -> Counter[str]:
        """How many messages of a session there are that say what each of `names` is the hash of."""
        ranges = [f"(key >= '{which}{name}' AND key <= '{which}{name}ffffffff')" for name in names]
        found = self._messages.rows(" OR ".join(ranges), ("key",)) if ranges else None
        return Counter(key[len(which) :][:32] for key in (found["key"].to_pylist() if found is not None else ()))

    def _add(
        self, origin: Origin, which: str, fresh: Sequence[tuple[int, str, Said]], order: Sequence[tuple[str, int]]
    ) -> None:
        """Put new messages, each behind the one at its place in `order`, and move what is not where it stands then."""
        behind: dict[int, list[tuple[str, Said]]] = {}
        for after, key, one in fresh:
            behind.setdefault(after, []).append((key, one))
        places: list[tuple[str, Said | None]] = [*behind.get(-1, ())]
        for n, (key, _) in enumerate(order):
            places += [(key, None), *behind.get(n, ())]
        old = dict(order)
        self._insert(origin, which, [(n, key, one) for n, (key, one) in enumerate(places) if one is not None])
        self._move(which, {key: n for n, (key, one) in enumerate(places) if one is None and old[key] != n})

    def _insert(self, origin: Origin, which: str, rows: Sequence[tuple[int, str, Said]]) -> None:
        terms = self._words.terms([one.text for _, _, one in rows])
        names = self._words.of([one.name for _, _, one in rows])
        whose = {"owner": owner(origin.user), "thread": which, "source": origin.source, "file": writable(origin.file)}
        for (place, key, one), said, name in zip(rows, terms, names, strict=True):
            self._pending[f"{which}{key}"] = {
                "key": f"{which}{key}",
                "seat": seat(which, place),
                "place": place,
                "called": writable(one.id),
                "role": one.role,
                "name": one.name,
                "time": one.time,
                "moment": one.moment,
                "text": one.text,
                "terms": said,
                "length": words.length(said, name),
                **whose,
            }

    def _move(self, which: str, places: Mapping[str, int]) -> None:
        if not places:
            return
        waiting = {key: place for key, place in places.items() if f"{which}{key}" in self._pending}
        for key, place in waiting.items():
            row = self._pending[f"{which}{key}"]
            self._pending[f"{which}{key}"] = {**row, "place": place, "seat": seat(which, place)}
        for row in self._messages.rows(f"thread = '{which}' AND place >= 0", self._messages.columns).to_pylist():
            moved = places.get(row["key"][len(which) :])
            if moved is not None and row["key"] not in self._pending:
                self._pending[row["key"]] = {**row, "place": moved, "seat": seat(which, moved)}
                self._replaces = True

    def search(self, phrases: Sequence[str], scope: Scope, limit: int) -> list[Seat]:
        """As `Memory.search`. Words that many messages hold are not looked for where rarer ones find enough."""
        where = self._where(scope)
        timed = _timed(scope)
        asked = [phrase for phrase in self._words.of(phrases) if phrase]
        if where is None or not asked:
            return []
        found = [self._holding(phrase, f"{where}{timed}") for phrase in asked]
        counts = sorted((len(one), n) for n, one in enumerate(found) if len(one))
        score, total = Counter[tuple[str, int]](), 0
        for count, n in counts:
            if total + count > _ENOUGH and len(score) >= limit:
                break
            total += count
            rows = found[n]
            for which, place, worth in zip(*(rows[c].to_pylist() for c in ("thread", "place", "_score")), strict=True):
                score[which, place] += worth
        seats = {(self._known.number(which), place): worth for (which, place), worth in score.items()}
        return sorted(seats, key=lambda one: (-seats[one], one))[:limit]

    def _holding(self, phrase: Sequence[str], where: str) -> pa.Table:
        """The messages with the words of `phrase` side by side; read once for as long as nothing is written."""
        return self._once(
            ("holding", where, *phrase), lambda: self._messages.holding(phrase, where, ("thread", "place"))
        )

    def _once(self, what: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        """What `ask` finds, asked once for as long as nothing is written, or many other things are asked."""
        if self._held_of != self._messages.version or len(self._held) > _HELD:
            self._held, self._held_of = {}, self._messages.version
        if what not in self._held:
            self._held[what] = ask()
        return self._held[what]

    def speakers(self, phrases: Sequence[str], scope: Scope) -> list[str]:
        import pyarrow.compute as pc

        where = self._where(scope)
        if where is None or not phrases:
            return []
        names: list[list[str]] = self._once(
            ("names", where),
            lambda: self._words.of(
                pc.unique(self._messages.rows(f"{where} AND name != ''", ("name",))["name"]).to_pylist()
            ),
        )
        asked = zip(phrases, self._words.of(phrases), strict=True)
        return [phrase for phrase, some in asked if some and any(words.often(some, name) for name in names)]

    def weigh(
        self, phrases: Sequence[str], names: Sequence[str], seats: Sequence[Seat], scope: Scope
    ) -> tuple[Floats, Bools]:
        import numpy as np

        rows = self._at(seats, _WEIGHED)
        found, spoken = np.zeros((len(phrases), len(seats))), np.zeros(len(seats), np.bool_)
        where = self._where(scope)
        if where is None:
            return found, spoken
        own = self._once(("count", where), lambda: self._messages.count(where))
        average = self._once(("average",), self._average)
        columns = {at: n for n, at in enumerate(seats)}
        asked, called = self._words.of(phrases), [name for name in self._words.of(names) if name]
        speakers = self._words.of([row["name"] for row in rows.values()])
        rarities = [idf(own, len(self._holding(phrase, where))) if phrase else 0.0 for phrase in asked]
        for (at, row), speaker in zip(rows.items(), speakers, strict=True):
            for n, phrase in enumerate(asked):
                if phrase:
                    worth = words.fit(phrase, row["terms"], row["length"], average)
                    found[n, columns[at]] = worth * rarities[n]
            spoken[columns[at]] = any(words.often(name, speaker) for name in called)
        return found, spoken

    def _average(self) -> float:
        """Words that a message has on average, all users' together: as SQLite's BM25 has it."""
        import pyarrow.compute as pc

        return float(pc.mean(self._messages.rows("place >= 0", ("length",))["length"]).as_py() or 1.0)

    def _at(self, seats: Iterable[Seat], columns: Sequence[str]) -> dict[Seat, dict[str, Any]]:
        names = [seat(which, place) for number, place in seats if (which := self._known.thread(number)) and place >= 0]
        if not names:
            return {}
        found = self._messages.rows(f"seat IN ({', '.join(map(repr, names))})", columns).to_pylist()
        return {(self._known.number(row["thread"]), row["place"]): row for row in found}

    def get(self, seats: Iterable[Seat]) -> dict[Seat, Kept]:
        return {at: self._kept(row) for at, row in self._at(dict.fromkeys(seats), _KEPT).items()}

    def whole(self, scope: Scope) -> list[Kept]:
        return [kept for kept in self.said(scope) if scope.holds(kept.said)]

    def said(self, scope: Scope) -> list[Kept]:
        where = self._where(scope)
        rows = self._messages.rows(where, _KEPT).to_pylist() if where is not None else ()
        return sorted(map(self._kept, rows), key=lambda kept: kept.seat)

    def _kept(self, row: Mapping[str, Any]) -> Kept:
        one = self._known.get(row["thread"])
        said = Said(row["called"], row["role"], row["text"], row["name"], row["time"], row["moment"])
        at = self._known.number(one.thread), row["place"]
        return Kept(at, said, one.session, one.user, one.topic, row["source"], row["file"])

    def sessions(self, user: str | None = None) -> list[Session]:
        import pyarrow.compute as pc

        known = self._known.all() if user is None else self._known.of(user)
        where = "place >= 0" if user is None else f"owner = '{owner(user)}' AND place >= 0"
        rows = self._messages.rows(where, ("thread", "moment"))
        rows = rows.append_column("n", pc.fill_null(pc.cast(rows["moment"], "string"), ""))
        counted = rows.group_by("thread").aggregate([("n", "count"), ("moment", "min"), ("moment", "max")]).to_pylist()
        by = {row["thread"]: (row["n_count"], row["moment_min"], row["moment_max"]) for row in counted}
        return [Session(*one.whose, one.topic, *by.get(one.thread, (0, None, None))) for one in known]

    def origins(self) -> dict[Whose, set[str]]:
        return {one.whose: set(one.sources) for one in self._known.all()}

    def sizes(self) -> dict[Whose, int]:
        import pyarrow.compute as pc

        rows = self._messages.rows("place >= 0", ("thread", "text"))
        rows = rows.append_column("size", pc.binary_length(rows["text"]))
        summed = rows.group_by("thread").aggregate([("size", "sum")]).to_pylist()
        by = {row["thread"]: int(row["size_sum"]) for row in summed}
        return {one.whose: by.get(one.thread, 0) for one in self._known.all()}

    def embed(self, embedder: str, vectors: Mapping[Seat, bytes]) -> None:
        """As `Memory.embed`; inside of a transaction."""
        for at, row in self._at(vectors, ("key", "owner", "thread", "place")).items():
            known = {"key": f"{owner(embedder)}{row['key']}", "embedder": embedder, "vector": vectors[at]}
            self._pending_vectors.append({**known, "owner": row["owner"], "thread": row["thread"]})

    def unembedded(self, embedder: str, limit: int, scope: Scope) -> list[Kept]:
        where = self._where(scope)
        if where is None:
            return []
        have = set(self._embedded(embedder, where, ("key",))["key"].to_pylist())
        rows = self._messages.rows(where, ("key", "thread", "place"))
        lacking = [
            (self._known.number(which), place)
            for key, which, place in zip(*(rows[c].to_pylist() for c in ("key", "thread", "place")), strict=True)
            if f"{owner(embedder)}{key}" not in have
        ]
        found = self.get(sorted(lacking)[:limit])
        return [found[at] for at in sorted(found)]

    def vectors(self, embedder: str, scope: Scope) -> Vectors:
        import numpy as np

        where = self._where(scope)
        if where is None:
            return Vectors()
        made = self._embedded(embedder, where, ("key", "vector"))
        rows = self._messages.rows(where, ("key", "thread", "place"))
        seats = {
            f"{owner(embedder)}{key}": (self._known.number(which), place)
            for key, which, place in zip(*(rows[c].to_pylist() for c in ("key", "thread", "place")), strict=True)
        }
        pairs = zip(made["key"].to_pylist(), made["vector"].to_pylist(), strict=True)
        found = sorted((seats[key], vector) for key, vector in pairs if key in seats)
        if not found:
            return Vectors()
        joined = np.frombuffer(b"".join(vector for _, vector in found), np.float16).astype(np.float32)
        return Vectors([at for at, _ in found], joined.reshape(len(found), -1))

    def _embedded(self, embedder: str, where: str, columns: Sequence[str]) -> pa.Table:
        whose = where.replace(" AND place >= 0", "")
        first, last = owner(embedder), owner(embedder) + "g"
        return self._vectors.rows(f"{whose} AND key >= '{first}' AND key < '{last}'", columns)

    def _where(self, scope: Scope) -> str | None:
        """A condition that holds for messages of the scope's user and session; None where there is no such session."""
        if not self._known.of(scope.user, scope.session):
            return None
        if scope.session is not None:
            return f"thread = '{thread(scope.user, scope.session)}' AND place >= 0"
        return f"owner = '{owner(scope.user)}' AND place >= 0"


@contextmanager
def opened(place: str, address: str, write: bool = False) -> Iterator[LanceStore]:
    """The messages in the tables at `address` of the archive `place`; with `write`, made where there are none.

    Raises ArchiveError, and UsageError where lancedb is missing.
    """
    from boildown.memory.lance.table import told as raised

    with connected(place, address, write) as (messages, vectors), raised(place):
        yield LanceStore(place, address, messages, vectors)


def _pairs(rows: pa.Table, head: int) -> list[tuple[str, int]]:
    """The keys of rows without the name of their thread, and their places."""
    return [(key[head:], place) for key, place in zip(rows["key"].to_pylist(), rows["place"].to_pylist(), strict=True)]


def _timed(scope: Scope) -> str:
    """What a condition ends with that says which role and which times are meant."""
    role = writable(scope.role).replace("'", "''") if scope.role is not None else None
    parts = ("role = '{}'", role), ("moment >= {!r}", scope.since), ("moment < {!r}", scope.until)
    return "".join(f" AND {text.format(value)}" for text, value in parts if value is not None)
