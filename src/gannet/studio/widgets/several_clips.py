"""Several clips that might follow: played like one."""

from gannet.studio.widgets.clip import ask, given, show, shown

__all__ = ["ask", "given", "show", "shown"]
