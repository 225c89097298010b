"""Saved views: how many a person may keep, and whose they are. What a filter may say stands with the lists."""

from uuid import UUID

MOST_VIEWS = 50


def may_change(owner: UUID, person: UUID | None) -> str | None:
    """None, or why not. Whom a view is shared with reads it."""
    return None if owner == person else "这是别人共享的视图，只有本人可以修改。"
