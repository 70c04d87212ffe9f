"""WeCom: an employee is asked to send a message to a customer (add_msg_template).

The employee confirms it in WeCom; a customer gets one such message a day. Whether a task was made
is learned from the tasks (get_groupmsg_list_v2) and who is in them (get_groupmsg_send_result).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from operators.channels.filling import Outgoing
from schemas.channels import WeComEmployee
from schemas.instants import MINUTE_US, SECOND_US
from sinks.channels.client import Found, Plain
from sinks.channels.codes import NumberedCodes
from sinks.channels.tokens import Answer, Session
from sinks.sending.posting import Poster, Reply
from sinks.sending.verdict import Verdict, by_status

CODES = NumberedCodes(
    limited={-1: 5.0, 45009: 60.0, 45033: 5.0, 41063: 60.0},
    # Of these, every message fails until somebody has put it right.
    ours=frozenset({40001, 40013, 40014, 40056, 41001, 42001, 48002, 60011, 60020, 301002, 301052}),
)
# Clocks of the provider and of this machine.
APART_US = 2 * MINUTE_US
_STATES = {1: "sent by the employee", 2: "no customer of the employee any more", 3: "too many"}


def body(message: Outgoing) -> dict[str, Any]:
    """The body of add_msg_template."""
    return {
        "chat_type": "single",
        "external_userid": [message.address],
        "sender": message.employee,
        "text": {"content": message.text},
    }


def judge(answer: Answer | Verdict, address: str) -> Verdict:
    """The verdict on an answer; a customer in `fail_list` is not in the task."""
    if isinstance(answer, Verdict):
        return answer
    code, said = answer.code, answer.said
    if code is None or (code == 0 and not 200 <= answer.status < 300):
        trouble = by_status(answer.status, b"", answer.retry_after)
        if trouble is not None and (trouble.outcome == "refused" or answer.status in (429, 503)):
            return trouble
        return Verdict("unknown", said, whole=True)
    if code == 0 and address in (answer.body.get("fail_list") or []):
        return Verdict("refused", "the customer is in fail_list", code="fail_list")
    return CODES.judge(code, said, str(answer.body.get("msgid", "")))


class WeComClient(Plain):
    """Customer messages of WeCom."""

    provider = "wecom_employee"
    finds = True
    receipts = True
    absence_proves = True

    def __init__(self, channel: WeComEmployee, secret: str) -> None:
        url = channel.url
        query = urlencode({"corpid": channel.corp_id, "corpsecret": secret})

        def fetch(poster: Poster) -> Reply | Verdict:
            return poster.ask("GET", f"{url}/cgi-bin/gettoken?{query}")

        poster = Poster(timeout=channel.timeout_seconds, idempotent=False)
        self._session = Session(poster, url, fetch)

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Make a task for one customer."""
        answer = self._post("add_msg_template", body(message), now)
        return judge(answer, message.address)

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """Look for the task by its id, or by its words, its time and its customer."""
        if ref:
            return self._result(message, ref, now) or Found("unclear", "the task has no result yet")
        cursor = ""
        while True:
            wanted = {
                "chat_type": "single",
                "start_time": (left_at - APART_US) // SECOND_US,
                "end_time": (left_at + APART_US) // SECOND_US,
                "limit": 100,
                "cursor": cursor,
            }
            answer = self._post("get_groupmsg_list_v2", wanted, now)
            if isinstance(answer, Verdict) or answer.code != 0:
                said = answer.answer if isinstance(answer, Verdict) else answer.said
                return Found("unclear", f"get_groupmsg_list_v2: {said}")
            for task in answer.body.get("group_msg_list") or []:
                if (task.get("text") or {}).get("content") != message.text:
                    continue
                found = self._result(message, str(task.get("msgid", "")), now)
                if found is not None:
                    return found
            cursor = str(answer.body.get("next_cursor") or "")
            if not cursor:
                return Found("absent", "there is no such task")

    def _result(self, message: Outgoing, task: str, now: int) -> Found | None:
        """How far a task is with the customer; None where the customer is not in it."""
        wanted = {"msgid": task, "userid": message.employee, "limit": 1000}
        answer = self._post("get_groupmsg_send_result", wanted, now)
        if isinstance(answer, Verdict) or answer.code != 0:
            said = answer.answer if isinstance(answer, Verdict) else answer.said
            return Found("unclear", f"get_groupmsg_send_result: {said}")
        for one in answer.body.get("send_list") or []:
            if one.get("external_userid") != message.address:
                continue
            status = int(one.get("status") or 0)
            if status == 0:
                return Found("accepted", "the employee has not sent it yet", "0", task)
            said = _STATES.get(status, f"status {status}")
            return Found("delivered" if status == 1 else "failed", said, str(status), task)
        return None

    def _post(self, call: str, content: dict[str, Any], now: int) -> Answer | Verdict:
        path = f"/cgi-bin/externalcontact/{call}"
        return self._session.post(path, msgspec.json.encode(content), now)

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()
