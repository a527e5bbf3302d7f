"""Several clips that might follow: played like one."""

from gannet.studio.widgets.clip import SHOWS_PARTS, ask, given, show, shown

__all__ = ["SHOWS_PARTS", "ask", "given", "show", "shown"]
