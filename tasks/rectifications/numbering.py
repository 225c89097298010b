"""Numbers that people quote: ZG-{region6}-{yyyymmdd}-{4 digits} (domain.md i.8). Never a key."""

from datetime import date

from backend.db import raw


async def next_number(region: str, day: date) -> str:
    """The next number of a county (or, above it, of the region) on a legal day; part of the caller's transaction.

    The row of the series stays locked until the commit, so that a number is neither given twice nor left out.
    """
    series = f"ZG-{region[:6]}-{day:%Y%m%d}"
    row = await raw(
        "INSERT INTO number_series (series, last) VALUES ($1, 1) "
        "ON CONFLICT (series) DO UPDATE SET last = number_series.last + 1 RETURNING last",
        series,
    )
    return f"{series}-{row[0]['last']:04}"
