"""Where samples go: the names of their files, and what those may be."""

from pathlib import Path

from gannet.media import image
from gannet.media.film_encoding import check_animation
from gannet.media.medium import Medium
from gannet.pipelines.packing import FORMATS
from gannet.provenance.formats import PICTURES
from gannet.provenance.metadata import check_format
from gannet.runtime.names import file_ending, format_ending, whole_stem, whole_suffix


def beside_samples(path: Path, name: str, medium: Medium) -> Path:
    """Give where a further output goes beside a file of samples: in the same format where its medium has that."""
    ending = file_ending(path)
    kept = whole_suffix(path) if ending in medium.saved or ending in PICTURES else medium.saved[0]
    return path.with_name(f"{whole_stem(path)}.{name}{kept}")


def check_one_file(path: Path, medium: Medium, count: int, animated: bool) -> None:
    """Raise ValueError where so many samples cannot go into one file of that name."""
    if animated:
        check_animation(path)
    elif path.suffix.lower() in PICTURES or (count == 1 and file_ending(path) in medium.saved):
        return
    elif medium is image.medium:
        check_format(path)
    else:
        alone = f"1 {medium.noun} is saved as {', '.join(medium.saved)}, or goes"
        raise ValueError(
            f"{path.name}: {alone if count == 1 else f'{count:,} {medium.plural} go'} to a folder or a .zip, or into a "
            f"picture ({', '.join(PICTURES)}); name one of these."
        )


def check_many_files(path: Path, medium: Medium) -> None:
    """Raise ValueError where samples cannot go to that place, each a file of its own."""
    FORMATS[format_ending(path, medium.saved)].check()
    if format_ending(path) == ".parquet" and not medium.feature:
        raise ValueError(f"{path.name}: {medium.plural} go to a folder or a .zip; name one of these.")
