"""Jobs: good manifest rows with everything that their tasks need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from hashlib import sha256
from itertools import chain
from typing import NamedTuple

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, problem_of, told
from stylebatch.tasks.networks.bundled import locate_model
from stylebatch.tasks.networks.weights import fetch_weights
from stylebatch.tasks.nst.precision import fastest_precision
from stylebatch.tasks.pictures.decode import header_size, load_picture
from stylebatch.tasks.pictures.voronoi import Cell, cells_of
from stylebatch.tasks.plan.derived_ids import DerivedIds, NameTaken
from stylebatch.tasks.plan.key import pair_key
from stylebatch.tasks.plan.rows import BadRow, Pair
from stylebatch.tasks.progress import telling, watcher
from stylebatch.tasks.request.collections import digest, stem_of
from stylebatch.tasks.request.ids import KEY
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.request.settings import Settings
from stylebatch.tasks.request.styles import NamedStyle
from stylebatch.tasks.storage.files import sha256_of
from stylebatch.tasks.storage.places import Place

File = tuple[Place, str]  # with its SHA-256


@dataclass(frozen=True, slots=True)
class Style:
    """One style of a job: a picture, or a collection, of which ``path`` is the first of its ``members``.

    ``weight`` is its share of the blend; those of a job add up to 1. ``mask`` is a picture that is white where the
    style applies, or a cell of a diagram, if it does not apply everywhere.
    """

    path: Place
    sha256: str
    weight: float
    mask: Place | Cell | None = None
    mask_sha256: str | None = None
    members: tuple[File, ...] = ()

    @property
    def pictures(self) -> tuple[File, ...]:
        """Its pictures, which count alike."""
        return self.members or ((self.path, self.sha256),)


@dataclass(frozen=True, slots=True)
class Job:
    """One pair to stylize.

    ``content``, ``init``, ``weights``, ``model`` and those of ``styles`` are files that can be opened; ``content_name``
    and ``style_name`` are what the manifest calls them. In ``settings``, the precision is what this machine takes for
    it. Where the picture does not fulfil the condition ``keep``, ``others`` are tried in turn, the same row in other
    styles.
    """

    row: int
    id: str
    key: str
    content: Place
    styles: tuple[Style, ...]
    init: Place | None
    weights: Place
    content_name: str
    style_name: str
    settings: Settings
    content_sha256: str
    init_sha256: str | None
    weights_sha256: str
    model: Place | None = None
    model_sha256: str | None = None
    keep: str = ""
    others: tuple[Job, ...] = ()

    @property
    def painted_only(self) -> bool:
        """Whether a pass through the network is all that the job asks for."""
        return self.settings.engine == "feedforward" and self.settings.refine == 0

    @property
    def steps(self) -> int:
        """Of the optimizer; none where a network paints alone."""
        return self.settings.optimizer_steps

    @property
    def style_sha256(self) -> str:
        """The digests of the styles, joined with ``+``."""
        return "+".join(style.sha256 for style in self.styles)

    @property
    def masks_sha256(self) -> str | None:
        """The digests of the masks, joined with ``+``, if there are masks."""
        return "+".join(style.mask_sha256 for style in self.styles if style.mask_sha256) or None

    @property
    def pictures(self) -> list[tuple[str, Place]]:
        """The files that are read, each with the manifest's column that names it."""
        named = [("content", self.content)]
        named += [("style", path) for style in self.styles for path, _ in style.pictures]
        named += [("masks", style.mask) for style in self.styles if style.mask and not isinstance(style.mask, Cell)]
        return named if self.init is None else [*named, ("init", self.init)]

    def refused(self, column: str, problem: str) -> BadRow:
        """This job's row as a bad one."""
        return BadRow(self.row, self.id, self.content_name, self.style_name, ((column, problem),))


def make_jobs(
    manifest: Manifest, pairs: Sequence[Pair], slot: Slot, others: Iterable[str] = ()
) -> tuple[list[Job], list[BadRow]]:
    """Digest the pairs' pictures, once a file, and give each pair its key and, where it has none, an id.

    Args:
        slot: what the settings are resolved for.
        others: ids that are taken by rows that are not among the pairs.

    Returns:
        The jobs, and the rows whose pictures can no longer be read, or whose weights are not to be had.
    """
    find, find_weights = _Digests(manifest), _WeightsFinder(manifest)

    @cache
    def find_model(name: str) -> tuple[Place | None, str | None]:
        return find("model", name, lambda name: locate_model(name, manifest.locate))

    resolve, blend = _Resolver(slot), _Blends(manifest, find)
    ids = DerivedIds(chain(others, (pair.id for pair in pairs if pair.id and KEY not in pair.id)))

    def make(pair: Pair) -> Job:
        settings = resolve(pair.settings)
        content, content_sha256 = find("content", pair.content)
        styles, shares, stems = blend(pair)
        init, init_sha256 = find("init", settings.init) if settings.starts_from_picture else (None, None)
        weights, weights_sha256 = find_weights(settings)
        model, model_sha256 = find_model(settings.model) if settings.paints else (None, None)
        key = pair_key(content_sha256, shares, init_sha256, weights_sha256, settings, model_sha256)
        return Job(
            row=pair.row,
            id=ids.name(pair.id, key, _stem_of_file(content), stems),
            key=key,
            content=content,
            styles=styles,
            init=init,
            weights=weights,
            content_name=pair.content,
            style_name=pair.style,
            settings=settings,
            content_sha256=content_sha256,
            init_sha256=init_sha256,
            weights_sha256=weights_sha256,
            model=model,
            model_sha256=model_sha256,
            keep=pair.keep,
        )

    jobs, bad_rows = [], []
    for pair in telling(pairs, watcher.get().looking_up):
        try:
            job = make(pair)
            if pair.next_styles:
                job = replace(job, others=tuple(make(replace(pair, styles=other)) for other in pair.next_styles))
            jobs.append(job)
        except _Vanished as error:
            bad_rows.append(pair.refused(error.column, str(error)))
        except NameTaken as error:
            bad_rows.append(pair.refused("id", str(error)))
        except Exception as error:  # whatever a row does is that row's error
            bad_rows.append(pair.refused("row", problem_of(error)))
    return jobs, bad_rows


class _Blend(NamedTuple):
    """The styles of a pair, what counts of them for its key, and what ids call them."""

    styles: tuple[Style, ...]
    shares: tuple[tuple[str, float, str | None], ...]
    stems: tuple[str, ...]


class _Blends:
    """The styles of pairs; those that name them by the same object share one blend."""

    def __init__(self, manifest: Manifest, digest: _Digests) -> None:
        self._digest, self._pictures_of = digest, manifest.pictures_of
        self._known: dict[int, _Blend] = {}  # by identity, which holds as long as the pairs do

    def __call__(self, pair: Pair) -> _Blend:
        if pair.masks:
            return self._blend(pair)
        if id(pair.styles) not in self._known:
            self._known[id(pair.styles)] = self._blend(pair)
        return self._known[id(pair.styles)]

    def _blend(self, pair: Pair) -> _Blend:
        styles = tuple(self._styles(pair))
        shares = tuple((one.sha256, one.weight, one.mask_sha256) for one in styles)
        return _Blend(styles, shares, tuple(map(_stem, pair.styles, styles)))

    def _styles(self, pair: Pair) -> Iterator[Style]:
        total = sum(style.weight for style in pair.styles)
        masks = pair.masks or (None,) * len(pair.styles)
        for style, mask_name in zip(pair.styles, masks, strict=True):
            members = self._members(style.name)
            path, digest_of_style = members[0]
            mask: Place | Cell | None = None
            mask_sha256: str | None = None
            if mask_name:
                cells = cells_of(mask_name)
                of_cell = (cells[0], sha256(mask_name.encode()).hexdigest()) if cells else None
                mask, mask_sha256 = of_cell or self._digest("masks", mask_name)
            if len(members) == 1:
                yield Style(path, digest_of_style, style.weight / total, mask, mask_sha256)
            else:
                whole = digest(sha256 for _, sha256 in members)
                yield Style(path, whole, style.weight / total, mask, mask_sha256, members)

    def _members(self, name: str) -> tuple[File, ...]:
        try:
            names = self._pictures_of(name)
        except BadInput as error:
            raise _Vanished("style", str(error)) from None
        return tuple(self._digest("style", one) for one in names)


def _stem(named: NamedStyle, style: Style) -> str:
    """What ids call a style."""
    return stem_of(named.name) if style.members else style.path.stem


@lru_cache(maxsize=65_536)
def _stem_of_file(file: Place) -> str:
    return file.stem


class _Vanished(Exception):
    """What ``column`` names can no longer be read, or cannot be had."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class _Digests:
    """SHA-256 of files, each read once however many rows name it."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._known: dict[Place, str] = {}
        self._named: dict[str, tuple[Place, str]] = {}

    def __call__(self, column: str, name: str, locate: Callable[[str], Place] | None = None) -> tuple[Place, str]:
        """The file that ``column`` calls ``name``, where `locate` or else the manifest finds it, and its digest."""
        if locate is None and name in self._named:
            return self._named[name]
        try:
            path = (locate or self._manifest.locate)(name)
            if path not in self._known:
                self._known[path] = sha256_of(path)
        except BadInput as error:
            raise _Vanished(column, str(error)) from None
        except OSError as error:
            raise _Vanished(column, f"{error.strerror}: {path.name}") from None
        if locate is None:
            self._named[name] = path, self._known[path]
        return path, self._known[path]


class _WeightsFinder:
    """Files of weights and their SHA-256, each looked for and downloaded once however many rows ask for it."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._known: dict[tuple[str, str], tuple[Place, str] | str] = {}

    def __call__(self, settings: Settings) -> tuple[Place, str]:
        asked = settings.network, settings.weights
        if asked not in self._known:
            try:
                self._known[asked] = fetch_weights(*asked, self._manifest.locate)
            except (BadInput, OSError) as error:
                self._known[asked] = told(error)
        found = self._known[asked]
        if isinstance(found, str):
            raise _Vanished("weights", found)
        return found


class _Resolver:
    """Puts what ``auto`` stands for here in its place; rows that share their settings still do afterwards."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._known: dict[int, Settings] = {}  # by identity, which holds as long as the pairs do

    def __call__(self, settings: Settings) -> Settings:
        if id(settings) not in self._known:
            auto = settings.precision == "auto"
            precision = fastest_precision(self._slot.device) if auto else settings.precision
            self._known[id(settings)] = settings.model_copy(update={"precision": precision})
        return self._known[id(settings)]


Sizes = dict[Place, tuple[int, int]]  # pictures to their widths and heights


def check_decoding(jobs: Iterable[Job]) -> tuple[list[Job], list[BadRow], Sizes]:
    """Decode every picture once, so that one that is cut off in the middle is found before any work is done.

    But for the contents that a network paints, which takes hardly longer: these are found when it is their turn.

    Returns:
        The jobs whose pictures are whole, the rows of the others, and the sizes of the pictures.
    """
    looked: dict[tuple[Place, bool], tuple[int, int] | str] = {}
    sizes: Sizes = {}
    good, bad_rows = [], []
    for job in jobs:
        for column, path in job.pictures:
            whole = column != "content" or not job.painted_only
            if (path, whole) not in looked:
                looked[path, whole] = _look(path, whole)
            found = looked[path, whole]
            if isinstance(found, str):
                bad_rows.append(job.refused(column, found))
                break
            sizes[path] = found
        else:
            good.append(job)
    return good, bad_rows, sizes


def _look(path: Place, whole: bool) -> tuple[int, int] | str:
    """The picture's size, which without decoding the ``whole`` may be the turned one, or what is wrong with it."""
    try:
        return load_picture(path).size if whole else header_size(path)
    except Exception as error:
        return problem_of(error)
