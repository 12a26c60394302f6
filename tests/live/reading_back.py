"""The archive of a channel, asked in every way that XEP-0313 and its #extended feature know."""

import asyncio
from datetime import datetime, timezone

import mix
from archive import FORM, MAM, page, whole
from people import check, shown
from scenario import step


async def reads_back(alice, bob, channel):
    """Writes rows of both people in two spans of time, then reads them back."""
    step("history: pages, times, senders, ids")
    for number in range(4):
        await mix.say_and_hear(channel, alice, (alice, bob), f"early {number}")
    await asyncio.sleep(0.02)
    between = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    await asyncio.sleep(0.02)
    for number in range(3):
        await mix.say_and_hear(channel, bob, (alice, bob), f"late {number}")
    rows = await whole(bob, channel)
    check([row.body for row in rows[-7:]] == [f"early {n}" for n in range(4)] + [f"late {n}" for n in range(3)],
          f"the last rows are {[row.body for row in rows[-7:]]}")
    check(len({row.id for row in rows}) == len(rows), "two rows share an id")
    check(sorted(row.stamp for row in rows) == [row.stamp for row in rows], "rows are not in the order of time")
    ids = [row.id for row in rows]
    await pages(bob, channel, ids)
    await fields(alice, bob, channel, rows, between)
    await form_and_metadata(bob, channel, rows)


async def pages(person, channel, ids):
    """Forward, backward and flipped pages give the same rows."""
    check([r.id for r in await whole(person, channel, page_rows=3)] == ids, "forward pages of 3 differ from the whole")
    check([r.id for r in await whole(person, channel, page_rows=len(ids))] == ids, "one exact page differs")
    last = await page(person, channel, max=4, before="")
    check(last.ids == ids[-4:] and not last.complete, f"the last page is {last.bodies}, complete={last.complete}")
    backward, before = [], ""
    while True:
        found = await page(person, channel, max=3, before=before)
        backward = found.ids + backward
        if found.complete:
            break
        check(found.ids, "an empty page that is not complete")
        before = found.first
    check(backward == ids, "backward pages of 3 differ from the whole")
    flipped = await page(person, channel, flip=True, max=4, before="")
    check(flipped.ids == list(reversed(ids[-4:])), "flip-page does not turn the page round")
    await person.is_refused(
        "item-not-found", channel,
        f"<query xmlns='{MAM}'><set xmlns='http://jabber.org/protocol/rsm'><max>2</max>"
        "<after>no-such-row</after></set></query>",
    )


async def fields(alice, bob, channel, rows, between):
    """The form's fields narrow the rows."""
    ids = [row.id for row in rows]
    late = (await page(bob, channel, max=50, fields={"start": [between]})).ids
    check(late == ids[-3:], f"start gives {len(late)} rows, not 3")
    early = (await page(bob, channel, max=50, fields={"end": [between]})).ids
    check(early == ids[:-3], f"end gives {len(early)} rows, not {len(ids) - 3}")
    of_bob = (await page(alice, channel, max=50, fields={"with": [bob.bare]})).ids
    wanted = [row.id for row in rows if mix.author(row.message)[1] == bob.bare]
    check(of_bob == wanted and len(wanted) >= 4, f"with gives {len(of_bob)} rows, not {len(wanted)}")
    span = await page(bob, channel, max=50, fields={"after-id": [ids[-5]], "before-id": [ids[-1]]})
    check(span.ids == ids[-4:-1], f"after-id and before-id give {span.bodies}")
    both = await page(bob, channel, max=50, fields={"ids": [ids[-2], ids[1]]})
    check(sorted(both.ids) == sorted([ids[1], ids[-2]]), f"ids gives {both.bodies}")
    await bob.is_refused(
        "item-not-found", channel,
        f"<query xmlns='{MAM}'><x xmlns='{FORM}' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>"
        "<field var='ids'><value>no-such-row</value></field></x></query>",
    )


async def form_and_metadata(person, channel, rows):
    """A get tells the fields, and the first and last row."""
    answer = await person.ask(channel, f"<query xmlns='{MAM}'/>", "get")
    offered = {field.get("var") for field in answer.iter(f"{{{FORM}}}field")}
    missing = {"FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids"} - offered
    check(not missing, f"the form of the archive lacks {sorted(missing)}")
    answer = await person.ask(channel, f"<metadata xmlns='{MAM}'/>", "get")
    for edge, row in (("start", rows[0]), ("end", rows[-1])):
        told = answer.find(f"{{{MAM}}}metadata/{{{MAM}}}{edge}")
        check(
            told is not None and told.get("id") == row.id and told.get("timestamp"),
            f"the metadata's {edge} is not row {row.id}: {shown(answer)}",
        )
