"""An inviter passes an invitation on, mixd is killed, and the invitee gets in by it once; a registered nick stays too."""

import asyncio
from xml.etree import ElementTree as ET

import mix
from people import Person, check, shown
from scenario import ask_for, run, step

CHANNEL = "glamis"
MISC = "urn:xmpp:mix:misc:0"
PUBSUB = "http://jabber.org/protocol/pubsub"


async def play(host):
    """The claims, in the order in which people meet them."""
    alice = await Person(host, "alice").come_online()
    bob = await Person(host, "bob").come_online()
    channel = await mix.create(alice, host.service, CHANNEL)

    step("a nick is registered, and nobody else gets it")
    answer = await alice.ask(host.service, f"<register xmlns='{MISC}'><nick>thane</nick></register>")
    check(answer.findtext(f"{{{MISC}}}register/{{{MISC}}}nick") == "thane", f"answered by {shown(answer)}")
    await mix.join(alice, channel, "thane")
    await bob.is_refused("conflict", host.service, f"<register xmlns='{MISC}'><nick>Thane</nick></register>")

    step("only the allowed may join")
    allowed = f"<pubsub xmlns='{PUBSUB}'><create node='{mix.NODES}allowed'/></pubsub>"
    await alice.ask(channel, allowed)
    await bob.is_refused("not-allowed", bob.bare, mix.join_payload(channel, "bob"))

    step("an invitation goes from the inviter to the invitee")
    answer = await alice.ask(channel, f"<invite xmlns='{MISC}'><invitee>{bob.bare}</invitee></invite>", "get")
    invitation = answer.find(f"{{{MISC}}}invite/{{{MISC}}}invitation")
    check(invitation is not None and invitation.findtext(f"{{{MISC}}}token"), f"answered by {shown(answer)}")
    alice.send_raw(
        f"<message to='{bob.bare}' id='invite-1'><body>Would you like to join?</body>"
        f"{ET.tostring(invitation, encoding='unicode')}</message>"
    )
    got = await bob.expect("the invitation", lambda s: s.find(f"{{{MISC}}}invitation") is not None)
    passed_on = ET.tostring(got.find(f"{{{MISC}}}invitation"), encoding="unicode")

    step("it is good after a crash, and for its invitee's join")
    await ask_for("kill mixd")
    await ask_for("start mixd")
    await asyncio.sleep(0.5)
    join = mix.join_payload(channel, "thane").replace("</join>", f"{passed_on}</join>")
    await bob.is_refused("conflict", bob.bare, join)
    join = mix.join_payload(channel, "bob").replace("</join>", f"{passed_on}</join>")
    await bob.ask(bob.bare, join)
    await mix.say_and_hear(channel, alice, (alice, bob), "Out, damned spot!")

    step("and for no other join")
    await mix.leave(bob, channel)
    retract = f"<retract node='{mix.NODES}allowed'><item id='{bob.bare}'/></retract>"
    await alice.ask(channel, f"<pubsub xmlns='{PUBSUB}'>{retract}</pubsub>")
    refusal = await bob.is_refused("not-allowed", bob.bare, join)
    reasons = [child.get("reason") for child in refusal.iter() if child.tag.endswith("bad-invitation")]
    check(reasons == ["unknown"], f"not refused for its invitation: {shown(refusal)}")
    await alice.go_offline()
    await bob.go_offline()


if __name__ == "__main__":
    run(play)
