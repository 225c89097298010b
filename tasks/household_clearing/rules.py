"""一户一户对账: when a household is cleared. Computed from its items, never stored (seed 002, 二（九）)."""

from enum import StrEnum


class Standing(StrEnum):
    """How far the counted items of a household are."""

    no_items = "no_items"  # 无事项
    open = "open"  # 未销号
    hung = "hung"  # 挂账
    cleared = "cleared"  # 已销号


def standing(counted: int, closed: int, hung: int) -> Standing:
    """Cleared when it has at least one counted item and all are closed; hung when nothing but hung ones is left.

    The list reads the same from SQL, because it filters by it.
    """
    if not counted:
        return Standing.no_items
    if closed == counted:
        return Standing.cleared
    return Standing.hung if closed + hung == counted else Standing.open
