"""Each verb of a walk: the request that asks for it, the event that tells of it, how often it is tried."""

from tests import rectification_asks as asks

ASKS = {
    "issue": asks.issue, "drop": asks.drop, "acknowledge": asks.acknowledge, "object_to": asks.object_to,
    "decline_objection": asks.rule, "redirect": asks.rule, "uphold_objection": asks.rule, "report": asks.report,
    "plan_measure": asks.plan_measure, "finish_measure": asks.settle_measure, "drop_measure": asks.settle_measure,
    "ask_extension": asks.ask_extension, "grant_extension": asks.decide_extension,
    "decline_extension": asks.decide_extension, "hand_in": asks.hand_in,
    "confirm_hand_in": asks.confirm_hand_in, "withdraw_hand_in": asks.confirm_hand_in, "pass_first": asks.pass_first,
    "send_back": asks.send_back, "assign_check": asks.assign_check, "pass_check": asks.conclude,
    "fail_check": asks.conclude, "publish": asks.publish, "take_public_objection": asks.take_public_objection,
    "decline_public_objection": asks.rule_public_objection, "uphold_public_objection": asks.rule_public_objection,
    "close_out": asks.close_out, "look_back": asks.look_back, "reopen": asks.reopen, "hang": asks.hang,
    "resume": asks.resume, "ask_void": asks.ask_void, "void": asks.void, "decline_void": asks.decline_void,
}  # fmt: skip
EVENTS = {
    "issue": "issued", "drop": "dropped", "acknowledge": "acknowledged", "object_to": "objected",
    "decline_objection": "objection_declined", "redirect": "redirected", "uphold_objection": "objection_upheld",
    "report": "reported", "plan_measure": "measure_planned", "finish_measure": "measure_done",
    "drop_measure": "measure_dropped", "ask_extension": "extension_asked", "grant_extension": "extended",
    "decline_extension": "extension_declined", "hand_in": "handed_in",
    "confirm_hand_in": "hand_in_confirmed", "withdraw_hand_in": "hand_in_withdrawn", "pass_first": "passed",
    "send_back": "sent_back", "assign_check": "check_assigned", "pass_check": "check_passed",
    "fail_check": "check_failed", "publish": "published", "take_public_objection": "public_objection_taken",
    "decline_public_objection": "public_objection_declined", "uphold_public_objection": "public_objection_upheld",
    "close_out": "closed", "look_back": "looked_back", "reopen": "reopened", "hang": "hung", "resume": "resumed",
    "ask_void": "void_asked", "void": "voided", "decline_void": "void_declined",
}  # fmt: skip
FORWARD = {
    "issue", "acknowledge", "finish_measure", "hand_in", "pass_first", "close_out", "pass_check", "assign_check",
    "reopen",
}  # fmt: skip
SECRET = {"rectification.check_assigned", "rectification.sampled"}  # not in the version, which the units see too
RARE = {"drop", "uphold_objection", "ask_void", "void", "hang", "send_back"}
MADE = {
    "object_to": "objection", "plan_measure": "measure", "hand_in": "hand_in", "ask_extension": "extension",
    "assign_check": "check", "publish": "publicity", "take_public_objection": "objection",
}  # fmt: skip
EVIDENCE = {"hand_in", "pass_check", "fail_check", "look_back", "reopen", "object_to"}
