"""How personal data is shown to those who may see it but need not read it (domain.md i.6). One place for the widths."""

STAR = "*"


def name(text: str) -> str:
    """张*, 张*明, 欧**明: the first sign, and the last from three signs on."""
    if len(text) < 2:
        return STAR * len(text)
    last = text[-1] if len(text) > 2 else ""
    return text[0] + STAR * (len(text) - 1 - len(last)) + last


def phone(text: str) -> str:
    """138****1234; a number too short to keep seven of its signs is hidden whole."""
    return f"{text[:3]}****{text[-4:]}" if len(text) >= 11 else STAR * len(text)


def id_number(text: str) -> str:
    """440784********1234: the date of birth is hidden. Anything that is not 18 signs long is hidden whole."""
    return f"{text[:6]}{STAR * 8}{text[-4:]}" if len(text) == 18 else STAR * len(text)
