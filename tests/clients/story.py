"""What every client of XEP-0045 is asked to do, beside somebody who is there by MIX and somebody of slixmpp's `xep_0045`.

A client is driven through its own interface, as a person would. What it cannot do by itself is in its `lacks`, with the
reason; `docs/clients.md` says the same. What others see of it is asked of the other two, whose stanzas are looked at.
"""

import asyncio
import ssl
import tempfile
from pathlib import Path

import mix
from clients_of_muc_enter_rooms import codes, enter, is_presence, muc
from people import CLIENT, Failed, Person, Refused, check, shown
from scenario import ask_for, run, step
from slixmpp import JID

STORY_S_MAX = 600
BACK_S_MAX = 60.0
# Where the host server is up before the service, some clients are refused once, and have to be told to try again.
BY_ITSELF_S_MAX = 10.0
# A room that its maker does not open is open after a minute.
OPEN_S_MAX = 80.0
# Some clients ask an archive by whole seconds, and miss what was said in the last two.
SECONDS_S = 3.0
ACCOUNT = "erin"
CERTIFICATE = "server.pem"
CORRECT = "{urn:xmpp:message-correct:0}replace"
RETRACT = "{urn:xmpp:message-retract:1}retract"


class Cast:
    """Alice is there by MIX and owns the channel `heath`; Bob is there by MUC; the client has Erin's account."""

    def __init__(self, host, client):
        self.host, self.client = host, client
        self.alice = self.bob = self.carol = None
        self.heath = f"heath@{host.service}"
        self.forres = f"forres@{host.service}"

    async def log_in(self):
        """All but the client."""
        self.alice = await Person(self.host, "alice").come_online()
        self.bob = await muc(self.host, "bob")
        self.carol = await muc(self.host, "carol")

    def says(self, room, text, **more):
        """Bob says something in a room; its id."""
        message = self.bob.make_message(mto=JID(room), mbody=text, mtype="groupchat")
        for name, (space, value) in more.items():
            element = message.xml.makeelement(f"{{{space}}}{name}", {"id": value})
            message.xml.append(element)
        message["id"] = self.bob.new_id()
        message.send()
        return message["id"]

    async def both_hear(self, room, text):
        """What the client said reached Alice in MIX's form, and Bob in the room's; Bob's copy."""
        await mix.heard(self.alice, room, text)
        return await self.bob.expect(f"{text!r}", lambda s: mix.is_message(s, channel=room, body=text))


def tell(client):
    """Plays the whole story with a client, and exits."""

    async def play(host):
        with tempfile.TemporaryDirectory(prefix="mixd-client-") as folder:
            cast = Cast(host, client)
            await cast.log_in()
            step(f"{client.name} logs in")
            try:
                note_certificate(cast.alice, Path(folder) / CERTIFICATE)
                await client.start(host, ACCOUNT, folder)
                for scene in SCENES:
                    if scene.__name__ in client.lacks:
                        step(f"not {scene.__name__}: {client.lacks[scene.__name__]}")
                        continue
                    step(scene.__doc__.split("\n")[0])
                    await scene(cast)
                for person in (cast.alice, cast.bob, cast.carol):
                    await person.go_offline()
            except Failed as failure:
                raise Failed(f"{failure}\n{client.last_words()}") from None
            finally:
                client.end()

    run(play, STORY_S_MAX)


def note_certificate(person, file):
    """Writes down the certificate that the host server shows, if it has one, for clients that ask who vouches for it."""
    connection = person.transport.get_extra_info("ssl_object")
    if connection:
        file.write_text(ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True)))


async def enters(cast):
    """it enters a channel, and shows who is there, what was said, and the subject"""
    alice, bob, client, heath = cast.alice, cast.bob, cast.client, cast.heath
    await mix.create(alice, cast.host.service, "heath")
    await mix.join(alice, heath, "hecate")
    alice.send_raw(f"<message to='{heath}' type='groupchat'><subject>Thunder and lightning</subject></message>")
    await mix.say_and_hear(heath, alice, [alice], "Where hast thou been, sister?")
    await enter(bob, heath, "ross", maxstanzas=0)
    await asyncio.sleep(SECONDS_S)
    await client.enter(heath, "banquo")
    await client.sees(heath, "what was said before", "Where hast thou been, sister?")
    await client.sees_subject(heath, "Thunder and lightning")
    for nick in ("hecate", "ross", "banquo"):
        await client.sees_person(heath, nick)
    await bob.expect("banquo's arrival", lambda s: is_presence(s, f"{heath}/banquo"))
    await alice.expect("banquo's arrival in MIX", lambda s: "banquo" in shown(s) and "participants" in shown(s))


async def talks(cast):
    """both sides talk"""
    client, heath = cast.client, cast.heath
    await client.say(heath, "This castle hath a pleasant seat.")
    heard = await cast.both_hear(heath, "This castle hath a pleasant seat.")
    check(heard.get("from") == f"{heath}/banquo", f"it comes from {heard.get('from')}")
    mix.say(cast.alice, heath, "A drum, a drum!")
    await client.sees(heath, "what Alice says by MIX", "hecate.*A drum, a drum!")
    cast.says(heath, "God save the king!")
    await client.sees(heath, "what Bob says", "ross.*God save the king!")


async def changes_nick(cast):
    """it takes another nick, and sees others do so"""
    client, bob, heath = cast.client, cast.bob, cast.heath
    await client.nick(heath, "fleance")
    gone = await bob.expect("the old nick's end", lambda s: is_presence(s, f"{heath}/banquo", "unavailable"))
    check("303" in codes(gone), f"renamed without a word: {shown(gone)}")
    await bob.expect("the new nick", lambda s: is_presence(s, f"{heath}/fleance"))
    await client.sees_person(heath, "fleance")
    bob.send_raw(f"<presence to='{heath}/angus'/>")
    await client.sees_person(heath, "angus")
    await client.sees_nobody(heath, "ross")


async def corrects(cast):
    """it corrects what it said last, and shows what others correct"""
    client, heath = cast.client, cast.heath
    await client.say(heath, "The moon is up.")
    first = await cast.both_hear(heath, "The moon is up.")
    await client.sees(heath, "its own message", "The moon is up.")
    await client.correct(heath, "The moon is up.", "The moon is down.")
    second = await cast.both_hear(heath, "The moon is down.")
    replaced = second.find(CORRECT)
    check(replaced is not None and replaced.get("id") == first.get("id"), f"it replaces nothing: {shown(second)}")
    id = cast.says(heath, "Hail, king of Scotlant!")
    await client.sees(heath, "what Bob says", "Hail, king of Scotlant!")
    cast.says(heath, "Hail, king of Scotland!", replace=(CORRECT[1:].split("}")[0], id))
    await client.sees(heath, "what Bob corrects", "Hail, king of Scotland!")
    await client.sees_no(heath, "what Bob had said", "Hail, king of Scotlant!")


async def sees_retractions(cast):
    """it shows what others take back"""
    client, bob, heath = cast.client, cast.bob, cast.heath
    cast.says(heath, "Is this a dagger?")
    said = await bob.expect("its own message", lambda s: mix.is_message(s, channel=heath, body="Is this a dagger?"))
    await client.sees(heath, "what Bob says", "Is this a dagger?")
    space = RETRACT[1:].split("}")[0]
    bob.send_raw(
        f"<message to='{heath}' type='groupchat' id='r1'>"
        f"<retract xmlns='{space}' id='{mix.archive_id(said, heath)}'/></message>"
    )
    told = await bob.expect("the answer", lambda s: s.get("id") == "r1" or s.find(RETRACT) is not None)
    check(told.get("type") == "groupchat", f"Bob may not take it back: {shown(told)}")
    await client.sees_no(heath, "what Bob took back", "Is this a dagger?")


async def retracts(cast):
    """it takes back what it said"""
    client, heath = cast.client, cast.heath
    await client.say(heath, "So foul and fair a day.")
    said = await cast.both_hear(heath, "So foul and fair a day.")
    await client.sees(heath, "its own message", "So foul and fair a day.")
    await client.retract(heath, "So foul and fair a day.")
    told = await cast.bob.expect("the retraction", lambda s: s.find(RETRACT) is not None)
    id, wanted = told.find(RETRACT).get("id"), mix.archive_id(said, heath)
    check(id == wanted, f"it takes back {id}, and said {wanted}")


async def makes_a_room(cast):
    """it makes a room, which others enter and join"""
    client, forres = cast.client, cast.forres
    await client.create(forres, "duncan")
    await once_open(cast.bob, forres)
    await enter(cast.bob, forres, "lennox", maxstanzas=0)
    await mix.join(cast.alice, forres, "malcolm")
    for nick in ("lennox", "malcolm"):
        await client.sees_person(forres, nick)
    await client.say(forres, "What bloody man is that?")
    await cast.both_hear(forres, "What bloody man is that?")


async def once_open(person, room):
    """Waits until a room is not locked any more: others find nothing there before."""
    deadline = asyncio.get_running_loop().time() + OPEN_S_MAX
    while True:
        try:
            return await person.ask(room, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
        except Refused as refusal:
            check(asyncio.get_running_loop().time() < deadline, f"{room} stays locked: {shown(refusal.stanza)}")
            await asyncio.sleep(0.2)


async def configures(cast):
    """it changes the name in the room's form"""
    client, bob, forres = cast.client, cast.bob, cast.forres
    await client.configure(forres, "Camp near Forres")
    await bob.expect("status 104", lambda s: s.get("from") == forres and "104" in codes(s))
    told = await bob.ask(forres, "<query xmlns='http://jabber.org/protocol/disco#info'/>", "get")
    check("Camp near Forres" in shown(told), f"disco tells {shown(told)}")


async def sets_the_subject(cast):
    """it sets the subject"""
    await cast.client.subject(cast.forres, "The sergeant's report")
    await cast.bob.expect("the subject", lambda s: s.findtext(CLIENT + "subject") == "The sergeant's report")


async def whispers(cast):
    """private messages go both ways, with a client of MUC and one of MIX"""
    client, forres = cast.client, cast.forres
    for person, nick in ((cast.bob, "lennox"), (cast.alice, "malcolm")):
        text = f"Whence camest thou, {nick}?"
        await client.whisper(forres, nick, text)
        heard = await person.expect("the private message", lambda s, text=text: s.findtext(CLIENT + "body") == text)
        check(heard.get("type") != "groupchat", f"told to all: {shown(heard)}")
        answer = f"From Fife, says {nick}."
        person.send_message(mto=JID(heard.get("from")), mbody=answer, mtype="chat")
        await client.sees_whisper(forres, nick, answer)


async def invites(cast):
    """it invites somebody, and gets an invitation"""
    client, carol, forres = cast.client, cast.carol, cast.forres
    await client.invite(forres, carol.boundjid.bare)
    await carol.expect("the invitation", lambda s: s.tag == CLIENT + "message" and forres in shown(s))


async def kicks(cast):
    """it puts somebody out, and bans"""
    client, bob, forres = cast.client, cast.bob, cast.forres
    await client.kick(forres, "lennox")
    gone = await bob.expect("its own end", lambda s: is_presence(s, f"{forres}/lennox", "unavailable"))
    check({"307", "110"} <= codes(gone), f"told {shown(gone)}")
    await client.sees_nobody(forres, "lennox")
    await enter(bob, forres, "lennox", maxstanzas=0)
    await client.sees_person(forres, "lennox")
    await client.ban(forres, "lennox", bob.boundjid.bare)
    gone = await bob.expect("its own end", lambda s: is_presence(s, f"{forres}/lennox", "unavailable"))
    check({"301", "110"} <= codes(gone), f"told {shown(gone)}")
    await client.sees_nobody(forres, "lennox")


async def outlives_mixd(cast):
    """mixd is stopped and started, then killed and started: nobody hears of it, and the talk goes on"""
    client, bob, heath = cast.client, cast.bob, cast.heath
    for wishes in (("stop mixd", "start mixd"), ("kill mixd", "start mixd")):
        # Seats are saved within a second or so.
        await asyncio.sleep(2)
        bob.inbox.clear()
        for wish in wishes:
            await ask_for(wish)
        await client.say(heath, f"After the {wishes[0]}.")
        await cast.both_hear(heath, f"After the {wishes[0]}.")
        cast.says(heath, f"Well met after the {wishes[0]}.")
        await client.sees(heath, "what Bob says", f"Well met after the {wishes[0]}.")
        bob.never("a leave that did not happen", lambda s: s.tag == CLIENT + "presence" and s.get("type") == "unavailable")


async def outlives_the_host(cast):
    """the host server restarts: it comes back into the room, and catches up with what was said meanwhile"""
    client, heath = cast.client, cast.heath
    await ask_for("restart host")
    await cast.log_in()
    await mix.say_and_hear(heath, cast.alice, [cast.alice], "Good sister, you were away.")
    await client.back(heath)
    await enter(cast.bob, heath, "ross", maxstanzas=0)
    await cast.bob.expect("fleance", lambda s: is_presence(s, f"{heath}/{client.last_nick}"), BACK_S_MAX)
    if "catches_up" in client.lacks:
        step(f"not catches_up: {client.lacks['catches_up']}")
    else:
        await client.sees(heath, "what was said meanwhile", "Good sister, you were away.")
    await client.say(heath, "Here I am again.")
    await cast.both_hear(heath, "Here I am again.")
    cast.says(heath, "Welcome back.")
    await client.sees(heath, "what Bob says", "Welcome back.")


SCENES = (
    enters, talks, changes_nick, corrects, sees_retractions, retracts, makes_a_room, configures, sets_the_subject,
    whispers, invites, kicks, outlives_mixd, outlives_the_host,
)
