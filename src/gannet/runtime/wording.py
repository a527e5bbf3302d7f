"""What is printed: nothing in it moves the cursor or hides, and a message has an end."""

import unicodedata

LONGEST = 480
"""Characters of a sentence, at most, with room for who says it."""
LONGEST_NAMED = 120
"""Characters of a name within a sentence, at most."""
STEERING = {"Cc", "Cs", "Zl", "Zp"}
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Unicode's categories of what steers a terminal or cannot be written, and its classes of what turns text around."""


def plain(text: str) -> str:
    r"""Give text as a terminal may show it: what would steer it is written out (`\u001b`); lines and tabs stay.

    In JSON it means the same, for its strings escape it so.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if _is_shown(one) else "".join(f"\\u{half:04x}" for half in _halves(one)) for one in text)


def _is_shown(one: str) -> bool:
    steers = unicodedata.category(one) in STEERING or unicodedata.bidirectional(one) in TURNING
    return one in "\n\t" or not steers


def _halves(one: str) -> tuple[int, ...]:
    """The 16-bit units of a character, of which JSON escapes two where it lies beyond them."""
    units = one.encode("utf-16-be", "surrogatepass")
    return tuple(int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))


def legible(name: str) -> str:
    """Give a file's name as UTF-8 can hold it: bytes of another encoding are written as addresses do (`%FF`)."""
    return "".join(f"%{ord(one) & 0xFF:02X}" if unicodedata.category(one) == "Cs" else one for one in name)


def sentence(text: str, most: int = LONGEST) -> str:
    """Give text in one line of at most so many characters, without its middle where it is longer."""
    ends = text if len(text) <= 8 * most else f"{text[: 4 * most]} {text[-4 * most :]}"
    line = plain(" ".join(ends.split()))
    if len(line) <= most:
        return line
    end = most // 3
    return f"{line[: most - end - 5].rstrip()} ... {line[-end:].lstrip()}"


def short(name: str) -> str:
    """Give a name for a message: the end of one that is as long as a path can be."""
    return name if len(name) <= LONGEST_NAMED else f"...{name[-LONGEST_NAMED:]}"


def reason(error: Exception, most: int = 200) -> str:
    """Give what an error says in one line of at most so many characters, without the full stop; its kind where mute."""
    return sentence(str(error), most).rstrip(".") or type(error).__name__


def duration(seconds: float) -> str:
    """Give seconds in words: 45 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    longer, shorter = ("min", "s") if whole < 3600 else ("h", "min")
    number, rest = divmod(whole if whole < 3600 else whole // 60, 60)
    return f"{number} {longer}" + (f" {rest} {shorter}" if rest else "")


def about(seconds: float) -> str:
    """Give what is only estimated in words: whole minutes from five on, hours alone from ten on."""
    unit = 1 if seconds < 300 else 60 if seconds < 36_000 else 3600
    return duration(round(seconds / unit) * unit)
