from __future__ import annotations

import io
import os
import shutil
import tracemalloc
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pictures import picture_dataset
from PIL import Image

from gannet.commands.data import full_name, passed_over
from gannet.commands.train import configure
from gannet.data.records import Record, left_out_of
from gannet.data.sources import open_source
from gannet.data.survey import survey
from gannet.runtime.selection import evenly_spaced


def seen(target: Path | str) -> dict[str, tuple[int, str]]:
    return {record.name: (record.label, record.split) for record in open_source(str(target)).records()}


def test_sub_folders_are_labels_in_natural_order(write_pictures):
    folder = write_pictures("10/a.png", "9/b.png", "9/deep/c.PNG", "loose.png")
    assert open_source(str(folder)).classes == ("9", "10")
    assert seen(folder) == {
        "10/a.png": (1, ""),
        "9/b.png": (0, ""),
        "9/deep/c.PNG": (0, ""),
        "loose.png": (-1, ""),
    }


@pytest.mark.parametrize("other", ["test", "val", "validation", "valid", "Testing"])
def test_train_and_test_are_splits(write_pictures, other):
    folder = write_pictures("train/a/1.png", "train/b/1.png", f"{other}/b/2.png")
    assert open_source(str(folder)).classes == ("a", "b")
    assert seen(folder) == {
        "train/a/1.png": (0, "train"),
        "train/b/1.png": (1, "train"),
        f"{other}/b/2.png": (1, "test"),
    }


def test_train_beside_other_folders_is_a_label(write_pictures):
    assert open_source(str(write_pictures("train/1.png", "ship/1.png"))).classes == ("ship", "train")


@pytest.mark.parametrize("beside", ["README.png", "extra/1.png", "annotations/deep/1.png"])
@pytest.mark.parametrize("parent", ["", "export/"])
def test_splits_with_something_beside_them_are_splits(write_pictures, beside, parent):
    inside = [f"{parent}{split}/{name}/1.png" for split in ("train", "test") for name in ("cat", "dog")]
    folder = write_pictures(*inside, parent + beside)
    source = open_source(str(folder))
    assert source.classes == ("cat", "dog")
    assert seen(folder) == {
        f"{parent}test/cat/1.png": (0, "test"),
        f"{parent}test/dog/1.png": (1, "test"),
        f"{parent}train/cat/1.png": (0, "train"),
        f"{parent}train/dog/1.png": (1, "train"),
    }
    assert [name for name, _ in left_out_of(source)] == [parent + beside]
    dataset = picture_dataset(source, 4, 4, 3)
    assert len(dataset) == 4 and [name for name, _ in dataset.skipped] == [parent + beside]
    assert "beside the folders of splits" in dataset.skipped[0][1]


def test_what_comes_to_lie_beside_splits_is_no_older_cache(write_pictures):
    folder = write_pictures("train/1.png", "test/1.png", "test/2.png")
    before = open_source(str(folder)).fingerprint()
    write_pictures("1.png")
    assert open_source(str(folder)).fingerprint() != before


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode there")
def test_names_that_are_not_utf8_can_be_written_down(write_pictures):
    folder = write_pictures("tea/1.png", "tea/2.png")
    place = folder / os.fsdecode(b"caf\xe9")
    place.mkdir()
    shutil.copy(folder / "tea/1.png", place / os.fsdecode(b"\xff.png"))
    source = open_source(str(folder))
    assert source.classes == ("caf%E9", "tea")
    assert list(seen(folder)) == ["caf%E9/%FF.png", "tea/1.png", "tea/2.png"]
    assert [np.asarray(record.read()).shape for record in source.records()] == [(8, 8, 3)] * 3
    assert open_source(str(place)).name == "caf%E9"


def write_zip(path: Path, *names: str) -> str:
    """Write pictures that differ, in this order, by exactly these names."""
    with zipfile.ZipFile(path, "w") as archive:
        for tone, name in enumerate(names):
            member, content = zipfile.ZipInfo("x"), io.BytesIO()
            member.filename = name
            Image.new("RGB", (4, 4), (tone, 0, 0)).save(content, "PNG")
            archive.writestr(member, content.getvalue())
    return str(path)


@pytest.mark.parametrize(
    "way", ["./{}/{}.png", "/{}/{}.png", "{}\\{}.png", ".\\{}\\{}.png", "{}//{}.png", "./{}/./{}.png"]
)
def test_members_are_called_as_other_programs_call_them(tmp_path, way):
    names = [(folder, number) for folder in "ab" for number in (1, 2)]
    source = open_source(write_zip(tmp_path / "a.zip", *(way.format(*name) for name in names)))
    assert source.classes == ("a", "b")
    assert [(record.name, record.label) for record in source.records()] == [
        (f"{folder}/{number}.png", "ab".index(folder)) for folder, number in names
    ]
    assert [np.asarray(record.read())[0, 0, 0] for record in source.records()] == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_members_of_one_name_the_last_is_read_and_the_others_are_counted(tmp_path):
    source = open_source(write_zip(tmp_path / "a.zip", "a/1.png", "b/1.png", "./a/1.png", "a/1.png"))
    assert source.classes == ("a", "b")
    dataset = picture_dataset(source, 4, 4, 3)
    assert dataset.first[:, 0, 0, 0].tolist() == [3, 1]
    assert dataset.skipped_count == 2 and dataset.skipped[0] == (
        "earlier a/1.png",
        "a later member of that name is read in its place",
    )


def test_a_member_that_begins_as_no_picture_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(64 << 20))
    (record,) = open_source(str(tmp_path / "a.zip")).records()
    tracemalloc.start()
    with pytest.raises(ValueError, match="it is not a picture"):
        record.read()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 << 20


@pytest.mark.parametrize("ending", [".HEIC", ".heif", ".jxl", ".CR2", ".psd"])
def test_kinds_that_cannot_be_read_are_named_with_what_to_do(write_pictures, ending):
    folder = write_pictures("a.png", "b.png")
    (folder / f"phone{ending}").write_bytes(b"\0\0\0\x18ftypheic")
    ((name, reason),) = picture_dataset(open_source(str(folder)), 4, 4, 3).skipped
    assert name == f"phone{ending}" and reason.startswith("Gannet does not read ") and "make a PNG of it" in reason


def test_embedded_data_go_before_a_folder_that_is_called_so_by_chance(write_pictures, tmp_path, monkeypatch):
    write_pictures("1.png", "2.png", folder="digits")
    monkeypatch.chdir(tmp_path)
    assert full_name("digits") == "digits" and open_source("digits").count() == 1797
    for folder in ("./digits", "digits/", Path("digits"), tmp_path / "digits"):
        assert open_source(full_name(folder)).count() == 2
    assert configure("digits", "", {}, "").data.source == "digits"
    assert configure("images", "./digits", {}, "").data.source == str(tmp_path / "digits")


def test_what_is_passed_over_for_embedded_data_is_said_and_a_set_of_other_samples_is_refused(
    write_pictures, tmp_path, monkeypatch
):
    write_pictures("1.png", "2.png", folder="shapes")
    monkeypatch.chdir(tmp_path)
    assert passed_over("digits") == passed_over("./shapes") == passed_over(Path("shapes")) == []
    assert passed_over("shapes") == [
        "shapes is the set that comes with Gannet; what lies here by that name is ./shapes."
    ]
    with pytest.raises(ValueError, match=r"of other samples than pictures; what lies here by that name is \./shapes"):
        open_source("shapes")


def test_one_folder_around_everything_means_nothing(write_pictures):
    folder = write_pictures("export/photos/1.png", "export/photos/2.png")
    assert open_source(str(folder)).classes == () and set(seen(folder).values()) == {(-1, "")}


def test_hidden_and_other_files_are_ignored(write_pictures):
    folder = write_pictures("a.png", ".b.png", ".git/c.png", "notes.txt")
    assert list(seen(folder)) == ["a.png"]


def test_folder_without_pictures_says_so(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"holds no pictures \(1 other files were ignored\)"):
        open_source(str(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_link_to_a_parent_ends(write_pictures):
    folder = write_pictures("a.png", "sub/b.png")
    (folder / "sub" / "up").symlink_to(folder)
    assert list(seen(folder)) == ["a.png", "sub/b.png"]


@pytest.mark.parametrize("name", ["C:/x.png", "C:x.png", "\\\\server\\x.png", "a\\..\\..\\x.png"])
def test_members_of_a_zip_that_lead_out_of_it_are_named_and_never_read(write_pictures, tmp_path, name):
    folder = write_pictures("a.png", "sub/b.png")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for inside in ("a.png", "sub/b.png", name):
            member = zipfile.ZipInfo("x")
            member.filename = inside  # As it is: the library would tidy it on Windows.
            archive.writestr(member, (folder / "a.png").read_bytes())
    check_left_out(tmp_path / "bad.zip", ["a.png", "sub/b.png"], [name])


def check_left_out(data: Path, inside: list[str], outside: list[str]) -> None:
    """What leads out of data is named as what cannot be read is, by all who read them."""
    source = open_source(str(data))
    assert [record.name for record in source.records()] == inside == list(seen(data))
    assert [name for name, _ in left_out_of(source)] == outside and source.count() == len(inside)
    dataset = picture_dataset(source, 4, 4, 3)
    assert len(dataset) == len(inside) and [name for name, _ in dataset.skipped] == outside
    assert all("leads out of the data" in reason for _, reason in dataset.skipped)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_out_of_a_folder_are_named_and_never_followed(write_pictures, tmp_path):
    folder = write_pictures("a.png", "sub/b.png")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    before = open_source(str(folder)).fingerprint()
    (folder / "c.png").symlink_to(elsewhere / "a.png")
    (folder / "d.png").symlink_to(folder / "sub" / "b.png")
    (folder / "far").symlink_to(elsewhere)
    (folder / "near").symlink_to(folder / "sub")
    (folder / "notes.txt").symlink_to(elsewhere / "a.png")
    with_links = ["a.png", "d.png", "near/b.png", "sub/b.png"]
    found = [record.name for record in open_source(str(folder)).records()]
    with_links = [name for name in with_links if name in found]  # A folder is entered by one of its two names.
    assert len(with_links) == 3
    check_left_out(folder, with_links, ["c.png", "far/"])
    assert open_source(str(folder)).fingerprint() != before
    (tmp_path / "root").symlink_to(elsewhere)
    assert list(seen(tmp_path / "root")) == ["a.png", "sub/b.png"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_data_that_only_lead_elsewhere_say_so(write_pictures, tmp_path):
    folder = write_pictures("a.png", "b.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cats").symlink_to(folder)
    with pytest.raises(ValueError, match="no readable picture .first cats/: it leads out of the data"):
        survey(open_source(str(tmp_path / "data")))


def test_zip_is_read_like_its_folder(write_pictures, tmp_path):
    folder = write_pictures("cats/1.png", "dogs/2.png", "dogs/.3.png")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, folder.name)
    source = open_source(packed)
    assert source.classes == ("cats", "dogs") and source.count() == 2
    read = [np.asarray(record.read()) for record in list(source.records())]
    assert np.array_equal(read[0], np.asarray(Image.open(folder / "cats/1.png")))


def test_zip_with_tricks_is_harmless(write_pictures, tmp_path):
    good = (write_pictures("1.png") / "1.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "trick.zip", "w") as archive:
        for name in ("../up.png", "/root.png", "__MACOSX/._a.png", "a/b.png", "c.png"):
            archive.writestr(name, good)
    before = sorted(tmp_path.rglob("*"))
    assert list(seen(tmp_path / "trick.zip")) == ["a/b.png", "c.png", "root.png"]
    assert [name for name, _ in left_out_of(open_source(str(tmp_path / "trick.zip")))] == ["../up.png"]
    assert sorted(tmp_path.rglob("*")) == before
    assert len(picture_dataset(open_source(str(tmp_path / "trick.zip")), 4, 4, 3)) == 3


def test_broken_zip_is_one_sentence(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 no more")
    with pytest.raises(ValueError, match=r"is cut short or no zip file"):
        open_source(str(tmp_path / "a.zip"))


def test_folder_of_one_zip_is_that_zip(write_pictures, tmp_path):
    folder = write_pictures("1.png", "2.png")
    (tmp_path / "outer").mkdir()
    shutil.make_archive(str(tmp_path / "outer" / "packed"), "zip", folder)
    assert len(seen(tmp_path / "outer")) == 2


def test_names_are_looked_up_in_gannet_data(write_pictures, tmp_path, monkeypatch):
    write_pictures("1.png", "2.png", folder="flowers")
    monkeypatch.setenv("GANNET_DATA", str(tmp_path))
    assert len(seen("flowers")) == 2
    with pytest.raises(ValueError, match=r"no data called 'flowerz': give a folder .* did you mean flowers\?"):
        open_source("flowerz")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("", "There is no data called ''"),
        ("digit", "did you mean digits"),
        ("no/such/path", "There is no data called"),
        ("~nobody-of-that-name/photos", "There is no home folder for ~nobody-of-that-name/photos; name it in full"),
        ("notes.txt", "is not data that Gannet reads; give a folder"),
        ("one.png", "is a single picture, which is not a data set"),
    ],
)
def test_what_is_no_data_is_one_sentence(target, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GANNET_DATA", raising=False)
    Path("notes.txt").touch()
    Path("one.png").touch()
    with pytest.raises(ValueError, match=sentence):
        open_source(target)


def test_fingerprint_follows_content(write_pictures):
    folder = write_pictures("1.png", "2.png")
    first = open_source(str(folder)).fingerprint()
    assert open_source(str(folder)).fingerprint() == first
    os.utime(folder / "1.png", ns=(1, 1))
    second = open_source(str(folder)).fingerprint()
    (folder / "2.png").rename(folder / "3.png")
    assert len({first, second, open_source(str(folder)).fingerprint()}) == 3


def test_survey_sees_sizes_modes_and_greyness(write_pictures):
    folder = write_pictures("a.png", "b.png", "c.png", size=(20, 10))
    (folder / "broken.png").write_bytes(b"no")
    assert survey(open_source(str(folder))).sizes == {"10x20": 3}
    assert survey(open_source(str(folder))).channels == 3
    for name in "abc":  # grey pixels in a colour mode
        Image.new("RGB", (12, 30), (9, 9, 9)).save(folder / f"{name}.png")
    look = survey(open_source(str(folder)))
    assert (look.channels, look.median_side, sum(look.sizes.values()), look.modes) == (1, 12, 3, {"RGB": 3})


def test_survey_is_spread_and_bounded(write_pictures):
    folder = write_pictures(*(f"{i:03d}.png" for i in range(100)), size=(2, 2))
    Image.new("RGB", (50, 50)).save(folder / "090.png")
    look = survey(open_source(str(folder)), most=50)
    assert 25 <= sum(look.sizes.values()) <= 50 and look.sizes.get("50x50") == 1


def test_survey_holds_few_records_at_a_time():
    alive: weakref.WeakSet[Record] = weakref.WeakSet()

    def records():
        for index in range(1000):
            record = Record(str(index), dict)
            alive.add(record)
            assert len(alive) < 30
            yield record

    assert 5 <= len(evenly_spaced(records(), 10)) <= 10


def test_survey_of_nothing_readable_is_one_sentence(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"holds no readable picture \(first a.png: it is not a picture"):
        survey(open_source(str(tmp_path)))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("name", "count", "held_out", "classes"),
    [("mnist", 70000, 10000, 10), ("lfw", 13233, None, 5749), ("yale", 120, None, 0), ("orl", 400, None, 40)],
)
def test_real_data(name, count, held_out, classes):
    source = open_source(name)
    look = survey(source)
    dataset = picture_dataset(source, 28, 28, look.channels)
    assert dataset.first.shape == (count, look.channels, 28, 28) and len(dataset.classes) == classes
    assert dataset.held_out.sum() == held_out if held_out else 0.04 < dataset.held_out.mean() < 0.16
