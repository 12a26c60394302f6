"""A group made over HTTP, as the XMPP user reads it back, hides, clears, leaves and forgets it."""

import groups
import mix
from archive import MAM, page, whole
from groups import G, GROUP, same_group
from people import check, shown
from scenario import step

MIX_MISC = "{urn:xmpp:mix:misc:0}"
KINDS = ["image", "video", "audio", "file"]


async def reads_back(host, alice, bob, carol, other_gid):
    """Bob owns the group; `other_gid` is the group that Alice and Bob share already."""
    channel, gid = await joins(host, alice, bob, carol, other_gid)
    rows = await pages(alice, bob, channel, gid)
    await media(alice, bob, channel, gid)
    await counts_unread(host, alice, bob, channel, gid)
    await hides_and_clears(alice, bob, channel, gid, rows)
    await is_removed_and_returns(alice, bob, channel, gid)
    await succeeds_and_forgets(host, alice, bob, carol, channel, gid)


async def joins(host, alice, bob, carol, other_gid):
    """Alice is told, waits, and joins through her account."""
    step("a group is made over HTTP; the XMPP user is invited, waits, and joins")
    people = [{"l": "alice", "dn": "Alice"}, {"l": "carol", "dn": "Carol"}]
    gid = (await bob.get("addGroup", gs="Coven", dn="Bob", gm=people))["id"]
    invitation = await alice.expect("an invitation", lambda s: s.find(f"{MIX_MISC}invitation") is not None)
    told, channel = invitation.find(f"{G}group"), invitation.get("from")
    got = (told.get("gid"), told.get("name"), told.get("status"))
    check(got == (str(gid), "Coven", "waiting"), f"the invitation is {shown(invitation)}")
    inviter = invitation.findtext(f"{MIX_MISC}invitation/{MIX_MISC}inviter")
    check(inviter == bob.bare, f"the invitation is not of bob: {shown(invitation)}")
    await alice.expect("the notice", lambda s: groups.is_notice(s, channel, "NG", gid))
    await alice.is_refused("registration-required", channel, f"<query xmlns='{MAM}'/>")
    await same_group(alice, bob, channel, gid)
    await bob.send(gid, "Before alice")
    await mix.join(alice, channel, "Alice", mix.GROUP_NODES)
    await groups.event(alice, channel, "member-joined", jid=alice.bare)
    await carol.done("joinGroup", id=gid, dn="Carol")
    await groups.event(alice, channel, "member-joined", jid=carol.bare)
    await alice.expect("the notice of a change", lambda s: groups.is_notice(s, channel, "EG", gid))
    alice.never("what was said before", lambda s: mix.is_message(s, body="Before alice"))
    await same_group(alice, bob, channel, gid)
    common = await groups.listed(alice, host.service, **{"with": bob.bare})
    over_http = await bob.get("getCommonGroups", l="alice")
    check({g["id"]: g["gs"] for g in over_http} == {n: g["name"] for n, g in common.items()},
          f"over HTTP: {over_http}\nover XMPP: {common}")
    check(set(common) == {gid, other_gid}, f"common groups are {set(common)}, not {(gid, other_gid)}")
    return channel, gid


async def pages(alice, bob, channel, gid):
    """Up is older, down is newer, and what came before the join is nobody's business; all rows."""
    step("pages go up and down from where the person joined")
    for number in range(3):
        await bob.send(gid, f"bob {number}")
        await mix.heard(alice, channel, f"bob {number}")
        await mix.say_and_hear(channel, alice, (alice,), f"alice {number}")
    rows = await whole(alice, channel)
    said = [f"{name} {number}" for number in range(3) for name in ("bob", "alice")]
    check([row.body for row in rows] == [None, None] + said, f"alice sees {[row.body for row in rows]}")
    events = [row.message.find(f"{G}event") for row in rows[:2]]
    check([e.get("type") for e in events] == ["member-joined"] * 2, f"the first rows are {[e.attrib for e in events]}")
    check(events[0].get("jid") == alice.bare, "the first row is not alice's own arrival")
    ids = [row.id for row in rows]
    asked = [
        ({"position": "up", "limit": "3"}, ids[-3:]),
        ({"position": "up", "limit": "3", "last-row-id": ids[5]}, ids[2:5]),
        ({"position": "up", "limit": "9", "last-row-id": ids[2]}, ids[:2]),
        ({"position": "down", "limit": "3"}, ids[:3]),
        ({"position": "down", "limit": "2", "last-row-id": ids[2]}, ids[3:5]),
        ({"position": "down", "limit": "9", "last-row-id": ids[5]}, ids[6:]),
        ({"events": "false"}, ids[2:]),
    ]
    for given, wanted in asked:
        found = (await page(alice, channel, fields={f"{G}{name}": [value] for name, value in given.items()})).ids
        check(found == wanted, f"{given} gives {[ids.index(i) for i in found]}, not {[ids.index(i) for i in wanted]}")
    return rows


async def media(alice, bob, channel, gid):
    """Files are found by kind, newest first: 3, then up to 10."""
    step("files are found by kind, newest first")
    types = ["image/jpeg", "video/mp4", "audio/ogg", "application/pdf", "image/png"]
    sent = []
    for number, media_type in enumerate(types):
        file = (
            "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>"
            f"<media-type>{media_type}</media-type><name>f{number}</name></file></file-sharing>"
        )
        mix.say(alice, channel, f"file {number}", extra=file)
        sent.append(mix.archive_id(await mix.heard(alice, channel, f"file {number}"), channel))
    fields = {f"{G}media": KINDS}
    first = await page(alice, channel, newest_first=True, fields=fields)
    check(first.ids == sent[:1:-1], f"the first page of files is {first.bodies}")
    rest = await page(alice, channel, newest_first=True, fields=fields, before=first.first)
    check(rest.ids == sent[1::-1], f"the rest of the files is {rest.bodies}")
    images = await page(alice, channel, newest_first=True, fields={f"{G}media": ["image"]})
    check(images.ids == [sent[4], sent[0]], f"the images are {images.bodies}")
    check(len(await bob.get("getMessageInfo", id=gid, mid=sent[0])) == 2, "a file has not two recipients")
    await bob.done("delMessage", id=gid, mid=sent[4])
    images = await page(alice, channel, newest_first=True, fields={f"{G}media": ["image"]})
    check(images.ids == [sent[0]], f"after a retraction the images are {images.bodies}")


async def counts_unread(host, alice, bob, channel, gid):
    """What came after what one read or wrote last is unread."""
    step("unread messages are counted")
    await mix.say_and_hear(channel, alice, (alice,), "alice wrote last")
    unread = [await unread_in(alice, host, gid)]
    for number in range(2):
        await bob.send(gid, f"unread {number}")
        row = mix.archive_id(await mix.heard(alice, channel, f"unread {number}"), channel)
        unread.append(await unread_in(alice, host, gid))
    await alice.ask(channel, f"<receipt xmlns='{GROUP}' id='{row}' state='read'/>")
    unread.append(await unread_in(alice, host, gid))
    check(unread == ["0", "1", "2", "0"], f"unread was {unread}")


async def unread_in(person, host, gid):
    """How much the person has not read in the group."""
    return (await groups.listed(person, host.service))[gid]["unread"]


async def hides_and_clears(alice, bob, channel, gid, rows):
    """What one hides or clears is there for others."""
    step("what is hidden or cleared is gone for oneself alone")
    before = [row.id for row in await whole(alice, channel)]
    hidden, cleared = [rows[4].id, rows[7].id], rows[5].id
    items = "".join(f"<item id='{row}'/>" for row in hidden)
    await alice.ask(channel, f"<hide xmlns='{GROUP}'>{items}</hide>")
    left = [row for row in before if row not in hidden]
    check([row.id for row in await whole(alice, channel)] == left, "not just the hidden rows are gone")
    await alice.ask(channel, f"<clear xmlns='{GROUP}' up-to='{cleared}'/>")
    left = [row for row in before[6:] if row not in hidden]
    check([row.id for row in await whole(alice, channel)] == left, "not just the cleared rows are gone")
    for row in (*hidden, cleared):
        await bob.get("getMessageInfo", id=gid, mid=row)
    await alice.ask(channel, f"<clear xmlns='{GROUP}'/>")
    check(await whole(alice, channel) == [], "after clearing all there are rows")


async def is_removed_and_returns(alice, bob, channel, gid):
    """Who is removed gets one last event; what is said until they are back is not theirs to see."""
    step("the XMPP user is removed over HTTP, and comes back")
    await bob.done("delMember", id=gid, gm=["alice"])
    await groups.event(alice, channel, "member-removed", jid=alice.bare, by=bob.bare)
    await bob.send(gid, "without alice")
    await alice.is_refused("item-not-found", channel, f"<profile xmlns='{GROUP}'/>", "get")
    await bob.done("addMember", id=gid, gm=[{"l": "alice", "dn": "Alice"}])
    invited = await alice.expect("an invitation", lambda s: s.find(f"{MIX_MISC}invitation") is not None)
    check(invited.find(f"{G}group").get("status") == "waiting", f"the invitation is {shown(invited)}")
    await mix.join(alice, channel, "Alice", mix.GROUP_NODES)
    await bob.send(gid, "welcome back")
    await mix.heard(alice, channel, "welcome back")
    alice.never("what was said without her", lambda s: mix.is_message(s, body="without alice"))
    events = [(row.message.find(f"{G}event"), row.body) for row in await whole(alice, channel)]
    seen = [body if told is None else told.get("type") for told, body in events]
    check(seen == ["member-removed", "member-joined", "welcome back"], f"after coming back alice sees {seen}")


async def succeeds_and_forgets(host, alice, bob, carol, channel, gid):
    """An admin follows the owner, before members who are in longer; who left keeps its history until forgetting it."""
    step("the owner leaves over HTTP, the next one over XMPP; the last one destroys the group")
    await bob.done("addAdmin", id=gid, gm=["alice"])
    await groups.event(alice, channel, "admin-added", jid=alice.bare, role="admin")
    await bob.done("leaveGroup", id=gid, dn="Bob")
    await groups.event(alice, channel, "member-left", jid=bob.bare)
    await groups.event(alice, channel, "admin-added", jid=alice.bare, role="owner")
    seen = await same_group(alice, carol, channel, gid)
    check(seen["go"] == "bob", f"the creator changed: {seen}")
    check(seen["gm"] == {"alice": (True, "j"), "bob": (False, "l"), "carol": (False, "j")}, f"the people: {seen}")
    await bob.refused(444, "getGroup", id=gid)
    await alice.is_refused("not-allowed", channel, f"<forget xmlns='{GROUP}'/>")
    await mix.say_and_hear(channel, alice, (alice,), "farewell")
    await mix.leave(alice, channel)
    seen = {m["l"]: (m["a"], m["s"]) for m in (await carol.get("getGroup", id=gid))["gm"]}
    check(seen == {"alice": (False, "l"), "bob": (False, "l"), "carol": (True, "j")}, f"the people are {seen}")
    await carol.send(gid, "alone")
    mine = await whole(alice, channel)
    check("farewell" in [r.body for r in mine] and "alone" not in [r.body for r in mine],
          f"alice sees {[r.body for r in mine]}")
    check(mine[-1].message.find(f"{G}event").get("type") == "member-left", "the last row is not her leaving")
    alice.never("what was said without her", lambda s: mix.is_message(s, body="alone"))
    check((await groups.listed(alice, host.service))[gid]["status"] == "left", "the list does not tell that she left")
    await alice.ask(channel, f"<forget xmlns='{GROUP}'/>")
    check(gid not in await groups.listed(alice, host.service), "a forgotten group is listed")
    await bob.refused(444, "delGroup", id=gid)
    await carol.done("delGroup", id=gid)
    await carol.refused(444, "getGroup", id=gid)
