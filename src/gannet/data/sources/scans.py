"""Scans in folders: NIfTI files, and DICOM series, a folder a series; no patient is on both sides of a split.

Whose a scan is tells its name as BIDS has it (Gorgolewski et al., 2016), `sub-01_T1w.nii.gz` or a folder `sub-01`, or
DICOM's PatientID; any other naming tells `data.group`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path, PurePosixPath

from gannet.data.records import LeftOut, Record, Source, digest
from gannet.data.sources.ellipsoids import ALLOWED as ALLOWED
from gannet.data.sources.folder import BESIDE, FileSource, Folder, PairSource, Storage, Zip, fingerprint_of
from gannet.data.sources.layout import in_utf8, read_layout
from gannet.media import dicom
from gannet.media.medium import Medium
from gannet.runtime.names import file_ending
from gannet.runtime.reading import any_beginning
from gannet.schema import Section

PATIENT = re.compile(r"(?:^|[/_])(sub-[A-Za-z0-9]+)(?=[/_.])")
"""What tells whose a file is in BIDS."""
SLICES = {".dcm", ".ima", ""}
"""Endings of what may be a slice; scanners leave the ending away, or count."""
BESIDE_FILES = "it is a DICOM series beside NIfTI files; give series alone, or save it as .nii.gz"


class ScanFiles(FileSource):
    """Scans that are a file each."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the folders that are classes; those of patients are none."""
        found = super().classes
        return () if found and all(PATIENT.search(f"{name}/") for name in found) else found

    def pass_over(self, series: Mapping[str, list[str]]) -> None:
        """Name DICOM series that lie beside, whose slices may have no ending to tell them by."""
        named = {path for path, _ in self._left_out}
        beside = {folder for folder, files in series.items() if not named.issuperset(files)}
        self._left_out += [(f"{folder}/" if folder else self.name, BESIDE_FILES) for folder in sorted(beside)]

    def records(self) -> Iterator[Record]:
        """Give every scan, in order, grouped by patient."""
        for record in super().records():
            label = record.label if self.classes else -1
            yield replace(record, label=label, group=patient_in(record.name))


class ScanPairs(PairSource):
    """Scans with their label volumes."""

    def records(self) -> Iterator[Record]:
        """Give every pair, in order, grouped by patient."""
        return (replace(record, group=patient_in(record.name)) for record in super().records())


def patient_in(name: str) -> str:
    """Give whose a file is by its name; empty where that does not say."""
    found = PATIENT.search(name)
    return found[1] if found else ""


class SeriesSource:
    """DICOM series in a folder or a zip, each in a folder of its own."""

    def __init__(self, storage: Storage, name: str, series: Mapping[str, list[str]]) -> None:
        self.name = storage.name
        self._storage, self._field = storage, name
        self._layout = read_layout([files[0] for files in series.values()])
        self._series = {folder: files for folder, files in series.items() if self._layout.covers(files[0])}
        self._left_out = [(f"{folder}/", BESIDE) for folder in series if folder not in self._series]
        self.ignored = len(storage.names()) - sum(map(len, series.values()))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the folders that are classes: where none holds series of two patients, they are patients' own."""
        known: dict[int, set[str]] = defaultdict(set)
        for folder, patient in self._patients.items():
            known[self._place(folder)].add(patient)
        return self._layout.classes if any(len(patients - {""}) > 1 for patients in known.values()) else ()

    @cached_property
    def _patients(self) -> dict[str, str]:
        """Whose each series is, by a digest, for PatientIDs are written nowhere; empty where its files do not say."""
        found = {}
        for folder, files in self._series.items():
            with self._storage.open(files[0]) as stream:
                patient = dicom.patient_of(stream)
            found[folder] = digest(["patient", patient]) if patient else ""
        return found

    @cached_property
    def _groups(self) -> dict[str, str]:
        """What each series belongs to: its patient; where its files do not say whose it is, and folders are patients'
        own, that of its folder.
        """
        if self.classes:
            return self._patients
        owners = {self._place(folder): digest(["folder", str(self._place(folder))]) for folder in self._series}
        owners |= {self._place(folder): patient for folder, patient in self._patients.items() if patient}
        owners[-1] = ""
        return {folder: patient or owners[self._place(folder)] for folder, patient in self._patients.items()}

    def _place(self, folder: str) -> int:
        """Give which of the folders that may be classes or patients' own a series lies in; -1: none."""
        return self._layout.place(self._series[folder][0])[0]

    def fingerprint(self) -> str:
        """Give a hex digest that changes when the content changes."""
        files = [path for files in self._series.values() for path in files]
        return digest(["series", fingerprint_of(self._storage, files, self._left_out)])

    def count(self) -> int:
        """Give the number of series."""
        return len(self._series)

    def records(self) -> Iterator[Record]:
        """Give every series, in order, grouped by patient."""
        for folder, files in self._series.items():
            label, split = self._layout.place(files[0])
            readers = [partial(self._storage.read, path, any_beginning) for path in files]
            yield Record(
                in_utf8(folder or self.name),
                {self._field: partial(dicom.read_series, readers)},
                label if self.classes else -1,
                split,
                group=self._groups[folder],
                size=partial(self._size, files),
            )

    def left_out(self) -> Iterator[LeftOut]:
        """Name what lies beside the folders of splits."""
        return ((in_utf8(path), reason) for path, reason in self._left_out)

    def _size(self, files: list[str]) -> int:
        return sum(map(self._storage.size, files))


def series_in(storage: Storage) -> dict[str, list[str]]:
    """Find the slices in each folder."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(storage.names()):
        if _may_be_slice(path) and _is_slice(storage, path):
            found[PurePosixPath(path).parent.as_posix().removeprefix(".")].append(path)
    return dict(found)


def _may_be_slice(path: str) -> bool:
    ending = file_ending(path)
    return ending in SLICES or ending[1:].isdecimal()


def _is_slice(storage: Storage, path: str) -> bool:
    with storage.open(path) as stream:
        return dicom.is_dicom(stream.read(dicom.MARK_AT + len(dicom.MARK)))


MEDIA = (("volume", "label-volume"), ("volume",))
EMBEDDED = ()


def open_name(target: str) -> Source | None:  # noqa: ARG001
    """Open nothing: scans lie in folders."""
    return None


def open_path(path: Path, media: Mapping[str, Medium]) -> Source | None:
    """Open a folder or a zip of scans, or of scans with label volumes; None where it is neither."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    storage: Storage = Folder(path) if path.is_dir() else Zip(path)
    if len(media) > 1:
        try:
            return ScanPairs(storage, media)
        except ValueError as error:
            raise ValueError(f"{path} holds no pairs: {str(error).rstrip('.')}.") from error
    ((name, medium),) = media.items()
    files = ScanFiles(storage, name, medium)
    series = series_in(storage)
    if files.count():
        files.pass_over(series)
        return files
    return SeriesSource(storage, name, series) if series else files


def finished(source: Source, options: Section | None) -> Source:  # noqa: ARG001
    """Change nothing."""
    return source
