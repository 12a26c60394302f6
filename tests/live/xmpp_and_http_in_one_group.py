"""A user of XMPP and users of the HTTP API share groups made at either door, and see the same."""

import groups
import mix
from archive import whole
from group_api import ApiUser
from group_history import reads_back
from group_profile import pictures, renames_and_admins
from groups import GROUP, same_group, same_info
from people import Person, check, shown
from scenario import ask_for, run, step

RETRACT = "urn:xmpp:message-retract:1"
MODERATE = "urn:xmpp:message-moderate:1"


async def play(host):
    """Alice is at XMPP; Bob and Carol are at the HTTP API."""
    alice = await Person(host, "alice").come_online()
    bob, carol = ApiUser(host, "bob"), ApiUser(host, "carol")
    channel, gid = await invites(host, alice, bob, carol)
    await talks(alice, bob, carol, channel, gid)
    await renames_and_admins(alice, bob, carol, channel, gid)
    await pictures(alice, bob, channel, gid)
    await retracts(alice, bob, channel, gid)
    await removes(alice, bob, carol, channel, gid)
    await outlives_a_crash(alice, bob, channel, gid)
    await reads_back(host, alice, bob, carol, gid)
    await destroys(host, alice, bob, carol, channel, gid)
    await alice.go_offline()


async def invites(host, alice, bob, carol):
    """Alice makes a group; who is invited sees it, and does nothing else in it before joining."""
    step("a group is made over XMPP, all or nothing")
    too_long = "x" * 31
    await alice.is_refused(
        "not-acceptable", host.service,
        f"<create xmlns='urn:xmpp:mix:core:1'><group xmlns='{GROUP}'><name>{too_long}</name></group></create>",
    )
    await bob.refused(400, "addGroup", gs=too_long, dn="Bob", gm=[])
    check(await groups.listed(alice, host.service) == {}, "a refused group is listed")
    check(await bob.get("getCommonGroups", l="alice") == [], "a refused group is common")
    invited = [(bob.bare, "Bob"), (carol.bare, "Carol")]
    channel, gid, statuses = await groups.create(alice, host.service, "Weekend", invited)
    check(statuses == {bob.bare: "waiting", carol.bare: "waiting"}, f"who was invited is {statuses}")
    await mix.join(alice, channel, "Alice", mix.GROUP_NODES)

    step("who was invited sees the group, and joins over HTTP")
    await bob.refused(457, "sendMessage", id=gid, dn="Bob", mb="Too early")
    await bob.refused(457, "readMessage", id=gid, mid=1)
    await bob.refused(444, "getMessageInfo", id=gid, mid=1)
    seen = await same_group(alice, bob, channel, gid)
    check(seen["gs"] == "Weekend" and seen["go"] == "alice", f"the group is {seen}")
    check(seen["gm"] == {"alice": (True, "j"), "bob": (False, "w"), "carol": (False, "w")}, f"the people: {seen}")
    for user in (bob, carol):
        await user.done("joinGroup", id=gid, dn=user.name)
        await groups.event(alice, channel, "member-joined", jid=user.bare)
        await user.done("joinGroup", id=gid, dn=user.name)
    seen = await same_group(alice, carol, channel, gid)
    check(seen["gm"] == {"alice": (True, "j"), "bob": (False, "j"), "carol": (False, "j")}, f"the people: {seen}")
    return channel, gid


async def talks(alice, bob, carol, channel, gid):
    """Messages go both ways; both doors confirm, read and tell the same of them."""
    step("messages go both ways")
    row = await bob.send(gid, "From <bob> & over HTTP")
    message = await mix.heard(alice, channel, "From <bob> & over HTTP")
    check(mix.author(message)[1] == bob.bare, f"the author is not bob: {shown(message)}")
    sealed = mix.archive_id(message, channel)
    origin = mix.say(alice, channel, "From alice over XMPP")
    mine = mix.archive_id(await mix.heard(alice, channel, "From alice over XMPP"), channel)
    nobody = {"bob": (False, False), "carol": (False, False)}
    check(await same_info(alice, bob, channel, gid, mine) == ((2, 0, 0), nobody), "a new message was reported")

    step("the author is told of each report once")
    await bob.done("confMessage", id=gid, mid=mine)

    async def told(user, state, aggregate, delivered, read):
        counts = {"recipients": "2", "delivered": delivered, "read": read, "aggregate": aggregate}
        of = {"id": mine, "origin-id": origin, "jid": user.bare, "state": state}
        await groups.status(alice, channel, **of, **counts)

    await told(bob, "delivered", "sent", "1", "0")
    await bob.done("confMessage", id=gid, mid=mine)
    await carol.done("readMessage", id=gid, mid=mine)
    await told(carol, "read", "delivered", "2", "1")
    half = {"bob": (True, False), "carol": (True, True)}
    check(await same_info(alice, bob, channel, gid, mine) == ((2, 2, 1), half), "who read it is not told")
    await bob.done("readMessage", id=gid, mid=mine)
    await told(bob, "read", "read", "2", "2")

    step("what XMPP reports is seen over HTTP, by number and by id")
    await alice.ask(channel, f"<receipt xmlns='{GROUP}' id='{sealed}' state='delivered'/>")
    for name in (row, sealed):
        seen = await same_info(alice, bob, channel, gid, name)
        check(seen == ((2, 1, 0), {"alice": (True, False), "carol": (False, False)}), f"of {name} is told {seen}")
    alice.send_raw(
        f"<message type='groupchat' to='{channel}'><displayed xmlns='urn:xmpp:chat-markers:0' id='{sealed}'/></message>"
    )
    seen = await same_info(alice, bob, channel, gid, row)
    check(seen == ((2, 1, 1), {"alice": (True, True), "carol": (False, False)}), f"of what alice read is told {seen}")
    await bob.refused(400, "readMessage", id=gid, mid=9999)


async def retracts(alice, bob, channel, gid):
    """What either door retracts is a tombstone in the archive."""
    step("both doors retract, their own and those of others")
    hers = await mix.say_and_hear(channel, alice, (alice,), "I regret this")
    his, third = await bob.send(gid, "And I this"), await bob.send(gid, "Alice takes this away")
    his_id = mix.archive_id(await mix.heard(alice, channel, "And I this"), channel)
    third_id = mix.archive_id(await mix.heard(alice, channel, "Alice takes this away"), channel)
    check(third == his + 1, f"rows {his} and {third} do not follow each other")
    alice.send_raw(
        f"<message type='groupchat' to='{channel}' id='r1'><retract xmlns='{RETRACT}' id='{hers}'/>"
        "<body>retracted</body></message>"
    )
    await is_told_of_retraction(alice, channel, hers)
    await bob.done("delMessage", id=gid, mid=his)
    await is_told_of_retraction(alice, channel, his_id)
    moderation = f"<moderate xmlns='{MODERATE}' id='{third_id}'><retract xmlns='{RETRACT}'/></moderate>"
    await alice.ask(channel, moderation)
    await is_told_of_retraction(alice, channel, third_id)
    rows = await whole(alice, channel)
    tombs = [row.id for row in rows if row.message.find(f"{{{RETRACT}}}retracted") is not None]
    check(tombs == [hers, his_id, third_id], f"the tombstones are {tombs}, not {[hers, his_id, third_id]}")
    left = [row.body for row in rows if row.id in tombs]
    check(left == [None] * 3, f"tombstones have bodies: {left}")


async def is_told_of_retraction(person, channel, row):
    """The person must get the retraction of that row."""

    def matches(stanza):
        told = stanza.find(f"{{{RETRACT}}}retract") if mix.is_message(stanza, channel=channel) else None
        return told is not None and told.get("id") == row

    await person.expect(f"the retraction of {row}", matches)


async def removes(alice, bob, carol, channel, gid):
    """Who is removed at one door is out at the other; who is added anew waits."""
    step("an admin at HTTP removes, the owner at XMPP adds anew, who was added declines")
    await bob.done("delMember", id=gid, gm=["carol"])
    await groups.event(alice, channel, "member-removed", jid=carol.bare, by=bob.bare)
    check((await same_group(alice, bob, channel, gid))["gm"]["carol"] == (False, "l"), "carol did not leave")
    for method, more in (("getGroup", {}), ("sendMessage", {"mb": "x"}), ("joinGroup", {"dn": "c"})):
        await carol.refused(444, method, id=gid, **more)
    added = await groups.edit(alice, channel, "members", add=[carol.bare])
    check(added == {carol.bare: "waiting"}, f"who was added is {added}")
    await groups.event(alice, channel, "member-added", jid=carol.bare, status="waiting")
    await same_group(alice, carol, channel, gid)
    await carol.done("leaveGroup", id=gid, dn="carol")
    await groups.event(alice, channel, "member-left", jid=carol.bare)
    check((await same_group(alice, bob, channel, gid))["gm"]["carol"] == (False, "l"), "carol still waits")


async def outlives_a_crash(alice, bob, channel, gid):
    """After a crash both doors show the group, its history and its receipts as before."""
    step("after a crash of mixd both doors show what they showed")
    row = mix.archive_id(await crossed(alice, bob, channel, gid, "before the crash"), channel)
    await alice.ask(channel, f"<receipt xmlns='{GROUP}' id='{row}' state='delivered'/>")
    before = (
        await same_group(alice, bob, channel, gid),
        await same_info(alice, bob, channel, gid, row),
        [row.id for row in await whole(alice, channel)],
    )
    check(before[1] == ((1, 1, 0), {"alice": (True, False)}), f"of the last message is told {before[1]}")
    await ask_for("kill mixd")
    await ask_for("start mixd")
    after = (
        await same_group(alice, bob, channel, gid),
        await same_info(alice, bob, channel, gid, row),
        [row.id for row in await whole(alice, channel)],
    )
    check(after == before, f"before: {before}\nafter: {after}")
    await crossed(alice, bob, channel, gid, "after the crash")


async def crossed(alice, bob, channel, gid, text):
    """A message of Bob's over HTTP, as Alice gets it over XMPP."""
    await bob.send(gid, text)
    return await mix.heard(alice, channel, text)


async def destroys(host, alice, bob, carol, channel, gid):
    """Only the owner destroys; for everyone it is as if the group had never been."""
    step("the owner destroys the group for everyone")
    await bob.refused(444, "delGroup", id=gid)
    name = channel.split("@")[0]
    await alice.ask(host.service, f"<destroy xmlns='urn:xmpp:mix:core:1' channel='{name}'/>")
    await groups.event(alice, channel, "group-destroyed", by=alice.bare)
    for user in (bob, carol):
        await user.refused(444, "getGroup", id=gid)
    await alice.is_refused("item-not-found", channel, f"<profile xmlns='{GROUP}'/>", "get")
    check(gid not in await groups.listed(alice, host.service), "the group is still listed")
    check(await bob.get("getCommonGroups", l="alice") == [], "the group is still common")


if __name__ == "__main__":
    run(play)
