"""What a notice says, in Chinese and English. Never the name of a household or a person below."""

TITLES = {
    "rectification.held": ("有问题待补充后交办", "A finding waits to be issued"),
    "rectification.issued": ("新交办整改事项", "A rectification was issued to you"),
    "rectification.acknowledged": ("责任单位已签收", "The responsible unit signed for it"),
    "rectification.handed_in": ("责任单位申请销号，待审核", "Handed in, waiting for review"),
    "rectification.sent_back": ("整改被退回，请继续整改", "Sent back to you"),
    "rectification.passed": ("初审通过，待复核销号", "First review passed, waiting for the second key"),
    "rectification.closed": ("整改事项已销号", "Cleared"),
    "rectification.void_asked": (
        "有事项申请作废，待另一人确认",
        "Voiding asked, waiting for a second person",
    ),
    "rectification.void_declined": ("不予作废，事项继续办理", "Not voided, the item goes on"),
    "rectification.voided": ("整改事项已作废", "Voided"),
}


def title(verb: str, number: str | None, english: bool) -> str:
    """One line: what happened to which item."""
    if english:
        return f"{TITLES[verb][1]}: {number or '(no number yet)'}"
    return f"{TITLES[verb][0]}：{number or '（未编号）'}"


def link(subject: object) -> str:
    """Where a screen goes when the notice is tapped: a stable path of the API."""
    return f"/api/rectifications/{subject}"
