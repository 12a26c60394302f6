"""A room made, configured and moderated by clients of XEP-0045, which outlives restarts of mixd (slixmpp's `xep_0045`)."""

import asyncio

from clients_of_muc_enter_rooms import MUC_USER, codes, enter, is_presence, muc
from people import CLIENT, check, shown
from scenario import ask_for, run, step
from slixmpp import JID

OWNER = "http://jabber.org/protocol/muc#owner"
ADMIN = "http://jabber.org/protocol/muc#admin"
FORM = "jabber:x:data"


async def play(host):
    """Alice makes a room; Bob and Carol enter it."""
    alice, bob, carol = [await muc(host, name) for name in ("alice", "bob", "carol")]
    room = f"dunsinane@{host.service}"
    await a_room_is_made(alice, bob, room)
    await everybody_enters(alice, bob, carol, room)
    await somebody_is_invited(alice, carol, room)
    await it_has_a_subject(alice, bob, room)
    await it_is_configured(alice, bob, room)
    await somebody_is_put_out(alice, bob, carol, room)
    for wishes in (("stop mixd", "start mixd"), ("kill mixd", "start mixd")):
        await it_outlives(alice, bob, room, wishes)
    await it_is_destroyed(alice, bob, room)
    for person in (alice, bob, carol):
        await person.go_offline()


async def a_room_is_made(alice, bob, room):
    """XEP-0045 §10.1: nobody else enters before its owner has settled it."""
    step("a room is made by entering it, and is locked until it is settled")
    own, _, _ = await enter(alice, room, "macbeth")
    check(own["muc"]["affiliation"] == "owner", f"not its owner: {own}")
    check("201" in codes(own.xml), f"not told that it is new: {shown(own.xml)}")
    bob.send_raw(f"<presence to='{room}/malcolm'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    refused = await bob.expect("the refusal", lambda s: is_presence(s, f"{room}/malcolm", "error"))
    check("item-not-found" in shown(refused), f"a locked room answers {shown(refused)}")
    await configure(alice, room)


async def everybody_enters(alice, bob, carol, room):
    """An empty form opens it."""
    step("an empty form opens it")
    await enter(bob, room, "malcolm", maxstanzas=0)
    _, others, _ = await enter(carol, room, "seyton", maxstanzas=0)
    nicks = {presence["from"].resource for presence in others}
    check({"macbeth", "malcolm"} <= nicks, f"seyton is shown {nicks}")
    await alice.expect("seyton's arrival", lambda s: is_presence(s, f"{room}/seyton"))


async def somebody_is_invited(alice, carol, room):
    """XEP-0045 §7.8.2."""
    step("an invitation comes from the room, and says from whom it is")
    alice.plugin["xep_0045"].invite(JID(room), carol.boundjid.bare, reason="Bring me no more reports")
    got = await carol.expect("the invitation", lambda s: s.find(f"{MUC_USER}x/{MUC_USER}invite") is not None)
    invite = got.find(f"{MUC_USER}x/{MUC_USER}invite")
    check(got.get("from") == room, f"it comes from {got.get('from')}")
    check(f"{room}/macbeth" == invite.get("from") and "no more reports" in shown(invite), f"it says {shown(invite)}")


async def it_has_a_subject(alice, bob, room):
    """XEP-0045 §8.1."""
    step("its owner sets the subject, and a participant does not")
    alice.send_raw(f"<message to='{room}' type='groupchat'><subject>Tomorrow</subject></message>")
    told = await bob.expect("the subject", lambda s: s.findtext(CLIENT + "subject") == "Tomorrow")
    check(told.get("from") == f"{room}/macbeth", f"set by {told.get('from')}")
    bob.send_raw(f"<message to='{room}' type='groupchat' id='s2'><subject>Never</subject></message>")
    refused = await bob.expect("the refusal", lambda s: s.get("id") == "s2" and s.get("type") == "error")
    check("forbidden" in shown(refused), f"answered with {shown(refused)}")


async def it_is_configured(alice, bob, room):
    """XEP-0045 §10.2."""
    step("its form changes one field, and everybody is told")
    await configure(alice, room, ("muc#roomconfig_roomname", "Dunsinane Castle"))
    await bob.expect("status 104", lambda s: s.get("from") == room and "104" in codes(s))
    told = await bob.ask(room, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
    check("Dunsinane Castle" in shown(told), f"disco tells {shown(told)}")
    await bob.is_refused("forbidden", room, f"<query xmlns='{OWNER}'/>", "get")


async def somebody_is_put_out(alice, bob, carol, room):
    """XEP-0045 §8.2, §9.1."""
    step("somebody is kicked, then banned")
    await alice.ask(room, f"<query xmlns='{ADMIN}'><item nick='seyton' role='none'><reason>Wayward</reason></item></query>")
    gone = await carol.expect("its own end", lambda s: is_presence(s, f"{room}/seyton", "unavailable"))
    check({"307", "110"} <= codes(gone) and "Wayward" in shown(gone), f"told {shown(gone)}")
    await bob.expect("seyton's end", lambda s: is_presence(s, f"{room}/seyton", "unavailable") and "307" in codes(s))
    await alice.ask(room, f"<query xmlns='{ADMIN}'><item jid='{carol.boundjid.bare}' affiliation='outcast'/></query>")
    carol.send_raw(f"<presence to='{room}/seyton'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
    refused = await carol.expect("the refusal", lambda s: is_presence(s, f"{room}/seyton", "error"))
    check("forbidden" in shown(refused), f"a ban is answered with {shown(refused)}")


async def it_outlives(alice, bob, room, wishes):
    """Seats are saved within a second or so; nobody hears of a restart."""
    step(f"{wishes[0]}, {wishes[1]}: nobody hears of it, and the talk goes on")
    await asyncio.sleep(2)
    for wish in wishes:
        await ask_for(wish)
    await alice.ask(f"{room}/macbeth", "<ping xmlns='urn:xmpp:ping'/>", "get", within_s=20)
    body = f"After {wishes[0]}."
    bob.send_message(mto=JID(room), mbody=body, mtype="groupchat")
    await alice.expect("what bob says", lambda s: s.findtext(CLIENT + "body") == body)
    await bob.expect("its own message", lambda s: s.findtext(CLIENT + "body") == body)
    for person in (alice, bob):
        person.never("a leave that did not happen", is_leave)


def is_leave(stanza):
    """Whether somebody leaves who did not."""
    is_gone = stanza.tag == CLIENT + "presence" and stanza.get("type") == "unavailable"
    return is_gone and "seyton" not in stanza.get("from")


async def it_is_destroyed(alice, bob, room):
    """XEP-0045 §10.9."""
    step("it is destroyed")
    await alice.ask(room, f"<query xmlns='{OWNER}'><destroy><reason>Birnam wood</reason></destroy></query>")
    gone = await bob.expect("the end", lambda s: is_presence(s, f"{room}/malcolm", "unavailable"))
    check("destroy" in shown(gone) and "Birnam wood" in shown(gone), f"told {shown(gone)}")


async def configure(person, room, *fields):
    """Submits the form, with these fields alone."""
    text = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields)
    kind = "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
    await person.ask(room, f"<query xmlns='{OWNER}'><x xmlns='{FORM}' type='submit'>{kind}{text}</x></query>")


if __name__ == "__main__":
    run(play)
