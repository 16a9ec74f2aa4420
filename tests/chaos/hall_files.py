"""The configuration of a hall under fire: so many people, one ladder, both channels at the provider's stub."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PLAIN = "{at: breach, to: [handler], via: [wecom, sms], all: true}"


def person(n: int) -> str:
    return f"p{n:05}"


def phone(n: int) -> str:
    return f"138{n:08}"


def write_config(folder: Path, people: int, ladder: str, stub: str) -> None:
    """Policy (the shipped one with another ladder), directory and channels into a new folder."""
    folder.mkdir()
    shipped = (ROOT / "config" / "policy.yaml").read_text("utf-8")
    head, begin, tail = shipped.partition("    ladder:\n")
    rest = tail[tail.index("\n\n") :]
    steps = "".join(f"      - {line}\n" for line in ladder.splitlines())
    policy = (head + begin + steps + rest).replace("send_window: working_hours", "send_window: always")
    (folder / "policy.yaml").write_text(policy, "utf-8")
    lines = ["people:"]
    for n in range(people):
        who = f'id: {person(n)}, name: 职员{n}, phone: "{phone(n)}", wecom: {person(n)}, department: 一科'
        lines.append(f"  - {{{who}}}")
    lines += ["departments:", f"  - {{id: 一科, head: {person(0)}, leader: {person(0)}}}"]
    (folder / "directory.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    base = f"base={stub}&timeout=2"
    channels = f"""channels:
  wecom: {{url: "wecomapp://corp:stub-secret@1000002/?{base}"}}
  sms:
    url: "yunmas://ap:stub-secret@ec/?sign=s&{base}"
    templates: {{reminder: {{id: T1, values: [case, due]}}, breach: {{id: T2, values: [case, days]}}}}
"""
    (folder / "channels.yaml").write_text(channels, "utf-8")
