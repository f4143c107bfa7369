"""Reads a calendar's file as others do (icalendar) from standard input; writes its properties and events as JSON."""

import json
import re
import sys

from icalendar import Calendar

FIELDS = ["UID", "SEQUENCE", "STATUS", "SUMMARY", "DESCRIPTION", "ORGANIZER"]


def event(component):
    told = {name: str(component[name]) for name in FIELDS if name in component}
    if "ORGANIZER" in component:
        told["CN"] = str(component["ORGANIZER"].params["CN"])
    for name in ["DTSTART", "DTEND", "DTSTAMP", "LAST-MODIFIED"]:
        moment = component.decoded(name)
        assert moment.utcoffset().total_seconds() == 0, moment
        told[name] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return told


calendar = Calendar.from_ical(sys.stdin.buffer.read())
assert not calendar.errors and not any(part.errors for part in calendar.walk()), "does not parse"
print(json.dumps({
    "VERSION": str(calendar["VERSION"]),
    "METHOD": str(calendar["METHOD"]),
    # It does not know that this is a text (RFC 7986), and leaves it as it stands there.
    "NAME": re.sub(r"\\(.)", r"\1", str(calendar["NAME"])) if "NAME" in calendar else None,
    "events": [event(component) for component in calendar.walk("VEVENT")],
}))
