"""Many items, one move: which moves, how many, what is wrong with a request as a whole, which moves lead back.

Who may do what to an item stands in tasks/rectifications/rules.py and nowhere else; nothing here asks it.
"""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from backend.errors import BadRequest, TooMany
from tasks.rectifications.item import Verb

MOST = 500  # items of one request
AT_ONCE = 50  # up to so many are done while the asker waits for the answer
TURN = 100  # rows a worker does before it lets others take their turn
MOST_RUNNING = 5  # requests of one person that are not through
PATIENCE = timedelta(seconds=60)  # so long the answer to a short request may take, before the worker takes it over
TRIES = 8  # turns in a row that get nowhere; then a person must look


class BulkMove(StrEnum):
    """What may be done to many items in one request. Words as in Verb, where one request is one verb."""

    issue = "issue"  # 交办
    drop = "drop"  # 撤销草稿
    acknowledge = "acknowledge"  # 签收
    report = "report"  # 报进展
    plan_measure = "plan_measure"  # 拟定措施
    finish_measure = "finish_measure"  # 完成措施
    drop_measure = "drop_measure"  # 取消措施
    ask_extension = "ask_extension"  # 申请延期
    decide_extension = "decide_extension"  # 延期审批
    hand_in = "hand_in"  # 申请销号
    pass_first = "pass_first"  # 初审通过
    send_back = "send_back"  # 退回
    assign_check = "assign_check"  # 指派核查
    publish = "publish"  # 公示
    close_out = "close_out"  # 销号
    look_back = "look_back"  # 回头看
    reopen = "reopen"  # 重开
    hang = "hang"  # 挂账
    resume = "resume"  # 解除挂账
    ask_void = "ask_void"  # 申请作废
    void = "void"  # 作废
    decline_void = "decline_void"  # 不予作废


# A mistake is put right by a move like any other, by whose move it is and with its own reasons. Nothing is taken back
# as if it had not been; where nothing leads back, the set is empty.
UNDONE_BY: dict[BulkMove, tuple[Verb, ...]] = {
    BulkMove.issue: (Verb.ask_void, Verb.void),
    BulkMove.drop: (),
    BulkMove.acknowledge: (),
    BulkMove.report: (Verb.report,),
    BulkMove.plan_measure: (Verb.drop_measure,),
    BulkMove.finish_measure: (Verb.plan_measure,),
    BulkMove.drop_measure: (Verb.plan_measure,),
    BulkMove.ask_extension: (Verb.decline_extension,),
    BulkMove.decide_extension: (),
    BulkMove.hand_in: (Verb.send_back,),
    BulkMove.pass_first: (Verb.send_back,),
    BulkMove.send_back: (Verb.hand_in,),
    BulkMove.assign_check: (Verb.assign_check,),
    BulkMove.publish: (),
    BulkMove.close_out: (Verb.reopen,),
    BulkMove.look_back: (Verb.look_back,),
    BulkMove.reopen: (),
    BulkMove.hang: (Verb.resume,),
    BulkMove.resume: (Verb.hang,),
    BulkMove.ask_void: (Verb.decline_void,),
    BulkMove.void: (),
    BulkMove.decline_void: (Verb.ask_void,),
}


class BatchState(StrEnum):
    running = "running"  # 办理中
    done = "done"  # 已办完
    stopped = "stopped"  # 已停止
    parked = "parked"  # 搁置


class RowState(StrEnum):
    waiting = "waiting"  # 待办
    done = "done"  # 成功
    refused = "refused"  # 未办
    stopped = "stopped"  # 已停止


def row_id(batch: UUID, item: UUID) -> UUID:
    """The id under which a batch writes on an item: the same batch again is the same request (RFC 9562, 5.5)."""
    return uuid5(batch, str(item))


def check_items(items: Iterable[UUID]) -> None:
    """Raises BadRequest for an item that is named twice: which of the two would count?"""
    seen: set[UUID] = set()
    for place, item in enumerate(items):
        if item in seen:
            raise BadRequest("同一个事项出现了两次。", "item_twice", field=f"items[{place}].item", item=str(item))
        seen.add(item)


def check_room(running: int) -> None:
    """Raises TooMany for somebody who has enough requests that are not through."""
    if running >= MOST_RUNNING:
        raise TooMany("还有几批没有办完，请稍后再提交。", "batches_running", retry_after=10, most=MOST_RUNNING)
