"""The result of a drill in words."""

from __future__ import annotations

from infra.drill.result import Result


def report(result: Result) -> str:
    """Recovery of each fault, then the figures, then the verdict."""
    lines = ["", f"broker: {result.broker}", ""]
    if result.broker.startswith("Tansu"):
        lines += [
            "left out: stop and kill of the broker. Tansu keeps its log in memory, so nothing is",
            "there to come back to; --kafka-home drills Apache Kafka.",
            "",
        ]
    width = max(len(one.name) for one in result.recoveries)
    legs = list(dict.fromkeys(leg for one in result.recoveries for leg in one.legs))
    lines.append("seconds until a sale right after the fault was everywhere")
    lines.append(f"  {'':{width}}  all    {'  '.join(f'{leg:>9}' for leg in legs)}")
    for one in result.recoveries:
        found = [f"{one.legs[leg]:9.1f}" if leg in one.legs else "    never" for leg in legs]
        did = f"  {one.did}" if one.did else ""
        lines.append(f"  {one.name:{width}}  {one.seconds:5.1f}  {'  '.join(found)}{did}")
    lines.append("")
    width = max(len(one.name) for one in result.numbers)
    for number in result.numbers:
        mark = "" if not number.zero else ("  ok" if not number.value else "  MUST BE 0")
        detail = f"  {number.detail}" if number.detail else ""
        lines.append(f"  {number.name:{width}}  {number.value:>6,}{mark:11}{detail}")
    promises = result.promises
    settled = promises["kept"] + promises["broken"]
    if settled:
        why = ", ".join(f"{count:,} {name}" for name, count in result.why_broken.most_common())
        lines.append("")
        lines.append(
            f"promises kept: {promises['kept']:,} of {settled:,} settled "
            f"({promises['kept'] / settled:.1%})"
            + (f"; where a place could not: {why}" if why else "")
        )
    lines += ["", *result.words, ""]
    lines.append("FAILED" if result.failed else "passed: every number that must be 0 is 0")
    return "\n".join(lines)
