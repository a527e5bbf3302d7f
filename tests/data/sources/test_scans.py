"""Scans in folders: pairs by name, DICOM series by folder, and no patient on both sides of a split."""

from pathlib import Path

import numpy as np
import pytest
from scan_files import affine, lay_series, nifti, numbered, series

from gannet.commands.doctor import examine
from gannet.data.cache import Dataset, build_dataset
from gannet.data.records import listed, notes_of
from gannet.data.samples import Labels, load_samples
from gannet.data.sources import media_of, open_source
from gannet.data.sources.ellipsoids import NAMES, SIDES, Ellipsoids, draw_ellipsoids
from gannet.media import image, label_volume, volume
from gannet.media.medium import Medium
from gannet.media.slices import slices_of
from gannet.media.volumes import Volume
from gannet.recipe import Recipe
from gannet.schema import Choice, check

PAIR: dict[str, Medium] = {"volume": volume.medium, "labels": label_volume.medium}
ALONE: dict[str, Medium] = {"volume": volume.medium}
SIZE = (8, 8, 8)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANNET_CACHE", str(tmp_path / "cache"))


def write(folder: Path, name: str, seed: int, labels: bool = False) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    values = random.integers(0, 3, SIZE).astype(np.uint8) if labels else random.uniform(1, 9, SIZE).astype(np.float32)
    path.write_bytes(nifti(values, packed=name.endswith(".gz")))


def dataset(folder: Path, media: dict[str, Medium] = ALONE) -> Dataset:
    source = open_source(str(folder), media)
    fields = {name: one.field(SIZE) for name, one in media.items()}  # type: ignore[attr-defined]
    return build_dataset(source, fields)


def test_pairs_are_found_by_their_names_whether_packed_or_not(tmp_path: Path) -> None:
    for at in range(4):
        write(tmp_path / "data", f"images/case.{at}.nii.gz", at)
        write(tmp_path / "data", f"labels/case.{at}.nii{'.gz' * (at % 2)}", at, labels=True)
    write(tmp_path / "data", "images/alone.nii.gz", 9)
    assert {name: one.name for name, one in media_of(str(tmp_path / "data")).items()} == {
        "volume": "volume",
        "labels": "label-volume",
    }
    found = dataset(tmp_path / "data", PAIR)
    assert len(found) == 4 and found.skipped[0] == ("images/alone.nii.gz", "it has no file of its name beside it")
    wanted = np.random.default_rng(0).integers(0, 3, SIZE)
    assert np.array_equal(found.columns["labels"].values[0], wanted)


def test_scans_of_one_patient_stay_on_one_side(tmp_path: Path) -> None:
    for at in range(40):
        write(tmp_path / "data", f"sub-{at // 4:02d}/ses-{at % 4}/sub-{at // 4:02d}_ses-{at % 4}_T1w.nii", at)
    found = dataset(tmp_path / "data")
    assert found.classes == () and (found.labels == -1).all()
    sides = [set(found.held_out[at : at + 4].tolist()) for at in range(0, 40, 4)]
    assert all(len(side) == 1 for side in sides) and 0 < found.held_out.sum() < 40


def test_folders_of_other_names_are_classes(tmp_path: Path) -> None:
    for at in range(4):
        write(tmp_path / "data", f"{'tumour' if at % 2 else 'healthy'}/{at}.nii", at)
    assert dataset(tmp_path / "data").classes == ("healthy", "tumour")


@pytest.mark.parametrize("ending", [".dcm", "", ".0007"])
def test_a_folder_is_a_series_and_patients_are_told_by_their_id(tmp_path: Path, ending: str) -> None:
    random = np.random.default_rng(0)
    for at in range(12):
        pixels = random.integers(0, 500, SIZE).astype(np.int16)
        who = {"PatientID": f"secret-{at // 3}", "PatientName": "Doe^Jane"}
        lay_series(tmp_path / "data" / f"scan{at}", series(pixels, **who), ending)
    source = open_source(str(tmp_path / "data"), ALONE)
    records = list(source.records())
    groups = [record.group for record in records]
    assert len(records) == 12 and len(set(groups)) == 4 and source.classes == ()
    assert not any("secret" in word or "Doe" in word for record in records for word in (record.group, record.name))
    found = dataset(tmp_path / "data")
    assert len(found) == 12
    by_patient = {
        group: {bool(found.held_out[at]) for at, one in enumerate(groups) if one == group} for group in groups
    }
    assert all(len(sides) == 1 for sides in by_patient.values())
    written = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert b"secret" not in written and b"Doe" not in written


@pytest.mark.parametrize("known", [(), (1, 4)])
def test_series_that_do_not_say_whose_they_are_belong_to_their_patient_s_folder(
    tmp_path: Path, known: tuple[int, ...]
) -> None:
    """Six folders of two series each, of which no PatientID tells, or that of one in a folder."""
    random = np.random.default_rng(0)
    for at in range(12):
        who = {"PatientID": f"secret-{at}"} if at in known else {}
        pixels = random.integers(0, 500, SIZE).astype(np.int16)
        lay_series(tmp_path / "data" / f"p{at // 2}" / f"scan{at % 2}", series(pixels, **who))
    source = open_source(str(tmp_path / "data"), ALONE)
    groups = [record.group for record in source.records()]
    assert source.classes == () and len(set(groups)) == 6 and groups[::2] == groups[1::2] and all(groups)
    held_out = dataset(tmp_path / "data").held_out
    assert np.array_equal(held_out[::2], held_out[1::2]) and 0 < held_out.sum() < 12


def test_series_of_several_patients_in_a_folder_are_of_its_class(tmp_path: Path) -> None:
    for at in range(4):
        pixels = np.full(SIZE, at, np.int16)
        lay_series(tmp_path / "data" / "ill" / str(at), series(pixels, PatientID=str(at) if at < 2 else ""))
        lay_series(tmp_path / "data" / "well" / str(at), series(pixels))
    source = open_source(str(tmp_path / "data"), ALONE)
    assert source.classes == ("ill", "well")
    assert [bool(record.group) for record in source.records()] == [True, True, *[False] * 6]


def test_a_mixed_folder_is_left_out_and_its_series_are_named(tmp_path: Path) -> None:
    pixels = np.arange(512).reshape(SIZE).astype(np.int16)
    for at in range(3):
        lay_series(tmp_path / "data" / str(at), series(pixels + at))
    both = [*series(pixels, SeriesDescription="T1"), *series(pixels, SeriesDescription="T2")]
    lay_series(tmp_path / "data" / "mixed", both)
    found = dataset(tmp_path / "data")
    assert len(found) == 3 and found.skipped_count == 1
    assert found.skipped[0][0] == "mixed" and "it holds 2 series, T1 (8 slices), T2 (8 slices)" in found.skipped[0][1]


def test_broken_scans_are_left_out_with_a_reason_each(tmp_path: Path) -> None:
    for at in range(3):
        write(tmp_path / "data", f"{at}.nii", at)
    (tmp_path / "data" / "cut.nii.gz").write_bytes(nifti(numbered(), packed=True)[:-50])
    (tmp_path / "data" / "film.nii").write_bytes(nifti(np.zeros((*SIZE, 4), np.float32)))
    found = dataset(tmp_path / "data")
    assert len(found) == 3
    reasons = dict(found.skipped)
    assert "cut short" in reasons["cut.nii.gz"] and "it holds 4 volumes" in reasons["film.nii"]


def test_nothing_to_learn_from_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("none")
    with pytest.raises(ValueError, match=r"holds no volumes .*give a folder or zip of scans \(\.nii\.gz"):
        open_source(str(tmp_path / "data"), ALONE)
    with pytest.raises(ValueError, match="holds no pairs: give folders images/ and labels/"):
        open_source(str(tmp_path / "data"), PAIR)
    write(tmp_path / "data", "one.mgz", 0)
    with pytest.raises(ValueError, match=r"one\.mgz: it is a scan in a format that Gannet does not read"):
        open_source(str(tmp_path / "data"), ALONE)


def test_the_doctor_tells_what_is_odd(tmp_path: Path) -> None:
    for at in range(4):
        write(tmp_path / "data", f"sub-{at}_T1w.nii", at)
    (tmp_path / "data" / "sub-8_T1w.nii").write_bytes((tmp_path / "data" / "sub-0_T1w.nii").read_bytes())
    named = nifti(np.random.default_rng(8).uniform(1, 9, SIZE).astype(np.float32), descrip=b"Doe^Jane")
    (tmp_path / "data" / "sub-9_T1w.nii").write_bytes(named)
    (tmp_path / "data" / "sub-10_T1w.nii").write_bytes(nifti(np.full(SIZE, 7, np.float32)))
    report = examine(str(tmp_path / "data"), 0)
    lines = "\n".join(report.lines())
    assert report.kind == "volumes" and report.modes == {"1x1x1 mm": 7}
    assert "1, such as sub-10_T1w.nii: all of its voxels are alike" in lines
    assert "1, such as sub-9_T1w.nii: its header has a text that may name somebody" in lines
    assert report.exact_duplicates.groups == (("sub-0_T1w.nii", "sub-8_T1w.nii"),)
    assert "1 sets of copies are of several groups" in lines


def test_ellipsoids_are_the_same_everywhere_and_nested() -> None:
    values, labels = draw_ellipsoids(3)
    assert values.shape == labels.shape == SIDES and values.dtype == np.float32
    assert float(values.sum()) == pytest.approx(float(draw_ellipsoids.__wrapped__(3)[0].sum()))
    means = [float(values[labels == region].mean()) for region in range(len(NAMES))]
    assert means == sorted(means), "each region is brighter than what holds it"
    for region in (1, 2):
        inside = np.argwhere(labels > region)
        outer = np.argwhere(labels >= region)
        assert (inside.min(0) >= outer.min(0)).all() and (inside.max(0) <= outer.max(0)).all()


def test_ellipsoids_come_as_pairs_and_alone_split_alike() -> None:
    records = list(Ellipsoids().records())
    assert [record.split for record in records].count("test") == 40 and len(records) == 240
    for media in (PAIR, ALONE):
        source = open_source("ellipsoids", media)
        fields = {name: one.field(SIDES) for name, one in media.items()}  # type: ignore[attr-defined]
        found = build_dataset(source, fields)
        assert len(found) == 240 and found.held_out.sum() == 40 and list(found.columns) == list(media)
    assert np.array_equal(build_dataset(source, fields).columns["volume"].values, found.columns["volume"].values)


def ball(folder: Path, name: str, spacing: tuple[float, float, float] = (2, 2, 2)) -> None:
    """A scan of 20x24x16 voxels in which a ball lies, brighter to the right, to the front and above."""
    x, y, z = np.ogrid[:20, :24, :16]
    values = np.where(
        (x - 10) ** 2 + (y - 12) ** 2 + (z - 8) ** 2 < 36, 100.0 + 5 * x + 3 * y + z, 10
    )  # Around it is air.
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(nifti(values.astype(np.float32), affine(spacing)))


@pytest.mark.parametrize(("plane", "size"), [("axial", (24, 20)), ("coronal", (16, 20)), ("sagittal", (16, 24))])
def test_slices_that_hold_something_are_pictures(tmp_path: Path, plane: str, size: tuple[int, int]) -> None:
    for at in range(4):
        ball(tmp_path / "data", f"{at}.nii")
    source = open_source(str(tmp_path / "data"), None, check(image.Options, {"plane": plane}))
    records = list(source.records())
    numbers = [int(record.name.split()[-1]) for record in records if record.group == "0.nii"]
    middle = {"axial": 8, "coronal": 12, "sagittal": 10}[plane]
    reach = int(np.sqrt(36 / 2))  # A ball's slices hold half of what its middle one does at 1 / sqrt(2) of its radius.
    assert numbers == list(range(middle - reach, middle + reach + 1))
    assert [record.name for record in listed(source)] == [record.name for record in records]
    picture = records[len(numbers) // 2].read()
    assert isinstance(picture, np.ndarray) and picture.shape == size and picture.dtype == np.uint8
    rows, columns = np.nonzero(picture)
    assert (
        picture[rows.min(), columns[rows == rows.min()]].mean()
        > picture[rows.max(), columns[rows == rows.max()]].mean()
    )
    assert (
        picture[rows[columns == columns.max()], columns.max()].mean()
        > picture[rows[columns == columns.min()], columns.min()].mean()
    )


def test_slices_have_square_pixels(tmp_path: Path) -> None:
    ball(tmp_path / "data", "one.nii", (2, 2, 4))
    source = open_source(str(tmp_path / "data"), None, check(image.Options, {"plane": "coronal"}))
    assert next(source.records()).read().shape == (32, 20)  # type: ignore[attr-defined]


def test_voxels_of_no_sensible_shape_make_no_pictures_of_millions_of_pixels() -> None:
    values = numbered((16, 16, 16))
    assert slices_of(Volume(values, affine((1, 1, 20))), "coronal")[8].shape == (320, 16)
    with pytest.raises(ValueError, match=r"voxels are 1 by 1e\+06 mm in this plane.*mend its header"):
        slices_of(Volume(values, affine((1, 1, 1e6))), "coronal")


def test_what_is_left_beside_series_is_named_in_order(tmp_path: Path) -> None:
    pixels = np.zeros((2, 4, 4), np.int16)
    beside = [f"rest{at}" for at in range(12)]
    for folder in ("train/a", "test/b", *beside):
        lay_series(tmp_path / folder, series(pixels))
    assert [path for path, _ in open_source(str(tmp_path), ALONE).left_out()] == [  # type: ignore[attr-defined]
        f"{folder}/" for folder in sorted(beside)
    ]


def test_the_slices_of_a_scan_stay_on_one_side_and_broken_scans_are_left_out(tmp_path: Path) -> None:
    for at in range(12):
        ball(tmp_path / "data", f"{at}.nii")
    (tmp_path / "data" / "cut.nii").write_bytes(nifti(numbered())[:-9])
    source = open_source(str(tmp_path / "data"))
    found = build_dataset(source, {"image": image.medium.field(16, 16, 1)})
    sides = [{bool(side) for side in found.held_out[found.groups == group]} for group in np.unique(found.groups)]
    assert len(sides) == 12 and all(len(side) == 1 for side in sides)
    assert found.skipped_count == 1 and "cut short" in found.skipped[0][1]
    assert any("data.plane" in note for note in notes_of(source))


def test_a_plane_of_what_are_no_scans_is_refused() -> None:
    with pytest.raises(ValueError, match=r"data\.plane says which slices of scans are taken, and digits holds none"):
        open_source("digits", None, check(image.Options, {"plane": "axial"}))
    assert "plane" not in image.Options().model_dump()


def test_dicom_series_beside_nifti_files_are_named(tmp_path: Path) -> None:
    for at in range(4):
        write(tmp_path / "data", f"scan{at}.nii.gz", at)
    lay_series(tmp_path / "data" / "visit", series(numbered(SIZE), "1.2.3"), "")
    found = dataset(tmp_path / "data")
    assert len(found) == 4 and [name for name, _ in found.skipped] == ["visit/"]
    assert "DICOM series beside NIfTI files" in found.skipped[0][1]


def test_patients_whom_own_splits_part_are_told_in_training_and_by_the_doctor(tmp_path: Path) -> None:
    for at in range(6):
        write(tmp_path / "data", f"train/sub-{at}_T1w.nii.gz", at)
        write(tmp_path / "data", f"test/sub-{at + 4}_T1w.nii.gz", 10 + at)
    words = "2 held-out samples are of groups (patients, films) that are trained on"
    report = examine(str(tmp_path / "data"), 8)
    assert any(words in line for line in report.findings)
    source = open_source(str(tmp_path / "data"), ALONE)
    recipe = Recipe(name="own", task=Choice(name="volume-generation"))
    notes = load_samples(recipe, source, {"volume": volume.medium.field(SIZE)}, Labels.UNUSED).notes
    assert any(words in note for note in notes)


def test_patients_on_one_side_are_not_told_of(tmp_path: Path) -> None:
    for at in range(8):
        write(tmp_path / "data", f"sub-{at // 2}_run-{at}_T1w.nii.gz", at)
    assert not any("held-out samples" in line for line in examine(str(tmp_path / "data"), 8).findings)


@pytest.mark.parametrize("labelled", [False, True])
def test_the_doctor_recommends_what_learns_from_scans_with_and_without_labels(tmp_path: Path, labelled: bool) -> None:
    for at in range(4):
        write(tmp_path / "data", f"images/{at}.nii.gz" if labelled else f"{at}.nii.gz", at)
        if labelled:
            write(tmp_path / "data", f"labels/{at}.nii.gz", at, labels=True)
    assert examine(str(tmp_path / "data"), 8).advice.recipe == "volume-generation"


@pytest.mark.parametrize("window", [(5, 5), (200, 5), (float("nan"), 5)])
def test_a_window_goes_from_black_to_white(window: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"data\.window"):
        check(volume.Options, {"window": window}, "data")
    assert check(volume.Options, {"window": (-160, 240)}, "data").window == (-160, 240)
