"""Reading single words of the environment. What they mean is in settings.py and outgoing.py."""

from collections.abc import Mapping


class BadSettings(Exception):
    """A setting is missing or contradicts another; the text says which and what to do."""


def number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number within these bounds. Raises BadSettings."""
    text = env.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BadSettings(f"{name} is {text!r}: give a whole number from {least} to {most}.")
    return int(text)
