"""Steps of a file to the flat list of a program."""

from __future__ import annotations

from typing import Any

from operators.journeys.condition_words import read_condition
from operators.journeys.converting import converted, worded
from operators.journeys.findings import Path, Said, WordsError, nearest
from operators.journeys.program import (
    Act,
    Branch,
    Jump,
    Leave,
    Node,
    SplitArms,
    WaitEvent,
    WaitFor,
    WaitUntil,
)
from operators.journeys.reading import Source
from operators.journeys.units import clock, duration, share, weekdays
from operators.journeys.wall import EVERY_DAY
from operators.members.experiments.definition import (
    SLOTS,
    Experiment,
    ExperimentError,
    experiment,
    rolled_out,
)
from schemas.chain import Chain
from schemas.journeys import Send, Split, Step, Wait

VERBS = ("wait", "if", "split", "send", "give", "set", "notify_staff", "exit")
PERSONAL = ("phone", "openid", "id_card", "address", "name}", "email")
NOWHERE = -1


class Steps:
    """Collects the nodes of one journey; `places` are the steps in the file, by name."""

    def __init__(self, source: Source, chain: Chain) -> None:
        self._source = source
        self._chain = chain
        self.nodes: list[Node] = []
        self.places: dict[str, Path] = {}

    def read(self, path: Path, listed: Any, prefix: str = "") -> bool:
        """Add the steps of a list, one after the other; whether they always leave the journey."""
        if not isinstance(listed, list) or not listed:
            self._say(path, "no_steps", "steps is a list, at least one: `- send: ...`",
                      "步骤应为列表，至少一步，例如 “- 发送: ...”")  # fmt: skip
            return False
        ended = False
        for number, plain in enumerate(listed):
            at = (*path, number)
            if ended:
                self._say(at, "unreachable", "nobody gets here: the step before it always leaves",
                          "此步骤永远走不到：前一步必定退出")  # fmt: skip
                return True
            step = converted(self._source, at, plain, Step)
            if step is not None:
                ended = self._step(at, step, plain, step.name or f"{prefix}{number + 1}")
        return ended

    def _step(self, path: Path, step: Step, plain: dict[str, Any], name: str) -> bool:
        """Add a step; whether it always leaves the journey."""
        verbs = [verb for verb in VERBS if plain.get(verb) is not None]
        if len(verbs) != 1:
            found = " and ".join(verbs) or "none"
            self._say(path, "one_verb",
                      f"a step does one thing of {', '.join(VERBS)}; here is {found}",
                      f"每一步只做一件事（{'、'.join(VERBS)}），这里是：{found}")  # fmt: skip
            return False
        if name in self.places:
            self._say((*path, "name"), "step_twice", f"two steps are named {name}",
                      f"有两个步骤都叫“{name}”")  # fmt: skip
        self.places[name] = path
        (verb,) = verbs
        self._partners(path, plain, verb)
        at = (*path, verb)
        if step.wait is not None:
            return self._wait(at, path, step, name)
        if step.if_ is not None:
            condition = read_condition(self._source, at, plain["if"], self._chain.members)
            here = self._reserve()
            yes, no, leaves = self._two(path, step, name)
            self.nodes[here] = Branch(name, condition, yes, no)
            return leaves
        if step.split is not None:
            return self._split(at, step.split, name)
        if step.send is not None:
            self._send(at, step.send, name)
        elif step.exit is not None:
            self.nodes.append(Leave(name, step.exit))
        else:
            self._act(path, step, name)
        return step.exit is not None

    def _partners(self, path: Path, plain: dict[str, Any], verb: str) -> None:
        """Words that belong to another verb are no harmless extras: somebody relies on them."""
        waits_event = isinstance(plain.get("wait"), dict) and "event" in plain["wait"]
        allowed = {"name", verb}
        if verb == "if" or waits_event:
            allowed |= {"then", "else"}
        if verb == "give":
            allowed |= {"text", "valid"}
        for key in plain:
            if key not in allowed:
                self._say((*path, key), "no_partner", f"{key} means nothing beside {verb}",
                          f"“{key}”与 {verb} 放在一起没有意义")  # fmt: skip

    def _wait(self, path: Path, outer: Path, step: Step, name: str) -> bool:
        given = step.wait
        if isinstance(given, str):
            until = given.removeprefix("until ").removeprefix("到").strip()
            given = Wait(until=until) if until != given else Wait(for_=given)
        assert isinstance(given, Wait)
        ways = [one for one in (given.for_, given.until, given.event) if one is not None]
        if len(ways) != 1:
            self._say(path, "one_wait", "a wait is `for` a time, `until` a clock or for an `event`",
                      "等待应写 时长、直到 或 事件 三者之一")  # fmt: skip
            return False
        try:
            if given.for_ is not None:
                self.nodes.append(WaitFor(name, duration(given.for_)))
            elif given.until is not None:
                day, _, at = given.until.rpartition(" ")
                days = weekdays(day) if day else EVERY_DAY
                grace = duration(given.grace) if given.grace else 0
                self.nodes.append(WaitUntil(name, clock(at), days, grace))
            else:
                if given.timeout is None:
                    self._say(path, "no_timeout",
                              "a wait for an event needs a timeout, or members stay for ever",
                              "等待事件必须写“超时”，否则会员会一直停在这里")  # fmt: skip
                    return False
                timeout = duration(given.timeout)
                here = self._reserve()
                came, missed, leaves = self._two(outer, step, name)
                self.nodes[here] = WaitEvent(name, str(given.event), timeout, came, missed)
                return leaves
        except WordsError as wrong:
            self._source.add(path, "no_time", wrong.said)
        return False

    def _reserve(self) -> int:
        self.nodes.append(Leave("", "unfinished"))
        return len(self.nodes) - 1

    def _two(self, path: Path, step: Step, name: str) -> tuple[int, int, bool]:
        """Both ways of a fork: where they begin, and whether both leave the journey."""
        ends, begins, leaves = [], [], []
        for key, listed in (("then", step.then), ("else", step.else_)):
            begins.append(len(self.nodes))
            leaves.append(listed is not None and self.read((*path, key), listed, f"{name}.{key}."))
            ends.append(len(self.nodes))
            self.nodes.append(Jump(name, NOWHERE))
        for end in ends:
            self.nodes[end] = Jump(name, len(self.nodes))
        return begins[0], begins[1], all(leaves)

    def _split(self, path: Path, given: Split, name: str) -> bool:
        shares = {}
        for arm, part in given.arms.items():
            found = worded(self._source, (*path, "arms", arm), share, part)
            shares[arm] = found or 0
        if sum(shares.values()) != SLOTS:
            total = sum(shares.values()) / 100
            self._say((*path, "arms"), "shares", f"the arms make {total:g}%, they must make 100%",
                      f"各组比例合计 {total:g}%，必须为 100%")  # fmt: skip
            return False
        if len(shares) < 2:
            self._say((*path, "arms"), "one_arm", "an experiment needs two arms or more",
                      "实验至少要有两组")  # fmt: skip
            return False
        unknown = [arm for arm in given.steps if arm not in shares]
        for arm in unknown:
            hint = nearest(arm, shares)
            self._say((*path, "steps", arm), "no_such_arm", f"there is no arm {arm}{hint.en}",
                      f"没有“{arm}”这一组{hint.zh}")  # fmt: skip
        here = self._reserve()
        places, ends, leaves = {}, [], []
        for arm in shares:
            places[arm] = len(self.nodes)
            leaves.append(
                arm in given.steps
                and self.read((*path, "steps", arm), given.steps[arm], f"{name}.{arm}.")
            )
            ends.append(len(self.nodes))
            self.nodes.append(Jump(name, NOWHERE))
        for end in ends:
            self.nodes[end] = Jump(name, len(self.nodes))
        one = experiment(given.experiment, shares, salt=given.salt)
        if given.rolled_out is not None:
            one = self._rolled_out(path, given, given.rolled_out, one)
        self.nodes[here] = SplitArms(name, one, places)
        return all(leaves)

    def _rolled_out(self, path: Path, given: Split, best: str, one: Experiment) -> Experiment:
        """The experiment in its last phase, where the file says which arm is better."""
        at = (*path, "rolled_out")
        remaining = worded(self._source, (*path, "remaining"), share, given.remaining) or 0
        if best == one.control or best not in one.arms:
            others = ", ".join(one.arms[1:])
            self._say(at, "no_such_arm",
                      f"{best} cannot be rolled out, write {others} (the first arm is the control; "
                      "where that is the best, take the split out)",
                      f"“{best}”不能推全，请写 {others}"
                      "（第一组是对照，若它更好请去掉分流）")  # fmt: skip
            return one
        try:
            return rolled_out(one, best, remaining)
        except ExperimentError as wrong:
            held = one.phase.shares()[one.control] / 100
            self._say((*path, "remaining"), "remaining", str(wrong),
                      f"保留的对照应大于 0 且不超过现在的 {held:g}%")  # fmt: skip
            return one

    def _send(self, path: Path, given: Send, name: str) -> None:
        policies = self._chain.journeys.channels
        if not given.channels:
            self._say((*path, "channels"), "no_channel", "name at least one channel",
                      "至少写一个渠道")  # fmt: skip
        for number, channel in enumerate(given.channels):
            at = (*path, "channels", number)
            policy = policies.get(channel)
            if policy is None:
                hint = nearest(channel, policies)
                there = ", ".join(policies)
                self._say(at, "no_such_channel",
                          f"there is no channel {channel}{hint.en or ': there are ' + there}",
                          f"没有“{channel}”渠道{hint.zh or '，可用：' + there}")  # fmt: skip
            elif given.class_ not in policy.classes:
                self._say(at, "class_of_channel",
                          f"{channel} may carry {' and '.join(policy.classes)} messages only: "
                          f"take it out of this {given.class_} message",
                          f"{channel} 只能发 {'、'.join(policy.classes)} 类消息，"
                          f"不能用于 {given.class_} 消息")  # fmt: skip
        self._personal(path, given.text)
        self.nodes.append(
            Act(name, "send", given.class_, tuple(given.channels), given.text, given.template,
                given.first_available)
        )  # fmt: skip

    def _personal(self, path: Path, text: str) -> None:
        """Texts are in topics and logs, so no number by which a person is known."""
        digits = sum(letter.isdigit() for letter in text)
        if any("{{" in text and one in text for one in PERSONAL) or digits >= 11:
            self._say((*path, "text"), "personal_data",
                      "the text holds personal data: a name, number or address of a member",
                      "文案含个人信息（姓名、号码或地址），请改用模板变量由渠道填写")  # fmt: skip

    def _act(self, path: Path, step: Step, name: str) -> None:
        self._personal(path, step.text)
        if step.give is not None:
            valid = None
            if step.valid is not None:
                valid = worded(self._source, (*path, "valid"), duration, step.valid)
            act = Act(name, "give", text=step.text, gift=step.give, valid=valid)
        elif step.set is not None:
            act = Act(name, "set", tags=tuple(sorted(step.set.items())))
        else:
            self._personal((*path, "notify_staff"), step.notify_staff or "")
            act = Act(name, "notify_staff", text=step.notify_staff or "")
        self.nodes.append(act)

    def _say(self, path: Path, code: str, en: str, zh: str) -> None:
        self._source.add(path, code, Said(en, zh))
