"""Whatever a client can send through the host server costs itself an error at most."""

import asyncio

import mix
from hostile_stanzas import STANZAS_BY_NAME, TO_OWN_ACCOUNT
from people import Failed, Person, Refused, check
from scenario import run, step

CHANNEL = "pit"
DISCO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"


async def play(host):
    """Mallory is a participant, so nothing is refused merely for coming from a stranger."""
    erin = await Person(host, "erin").come_online()
    frank = await Person(host, "frank").come_online()
    mallory = await Person(host, "mallory").come_online()
    channel = await mix.create(erin, host.service, CHANNEL)
    for person in (erin, frank, mallory):
        await mix.join(person, channel, person.name)
    ended = []
    for name, template in {**STANZAS_BY_NAME, **TO_OWN_ACCOUNT}.items():
        for to in (channel, host.service) if name in STANZAS_BY_NAME else (None,):
            mallory = await throw(mallory, template.replace("{to}", to or "").replace("{channel}", channel))
            if mallory.ended.is_set():
                ended.append(name)
            await still_there(erin, host.service, name)
    step(f"{len(STANZAS_BY_NAME) + len(TO_OWN_ACCOUNT)} kinds of stanza sent; "
         f"the host server itself ended the client for: {', '.join(dict.fromkeys(ended)) or 'none'}")
    for person in (erin, frank):
        check(not person.ended.is_set(), f"{person.name} lost the connection")
        person.inbox.clear()
    await mix.say_and_hear(channel, erin, (erin, frank), "still here")
    await mix.say_and_hear(channel, frank, (erin, frank), "so am I")
    mix.type_state(frank, channel, "composing")
    await erin.expect("a chat state", lambda s: mix.is_state(s, channel, "composing"))
    for person in (erin, frank):
        await person.go_offline()
    mallory.drop()


async def throw(mallory, text):
    """Sends raw text; a client that the host has thrown out before logs in again first."""
    if mallory.ended.is_set():
        mallory = await Person(mallory.host, mallory.name).come_online()
    mallory.inbox.clear()
    # Prosody 13 reads a long start tag once about as much again has come (libexpat puts it off).
    mallory.send_raw(text + " " * len(text))
    # A ping of the own server comes back when the host has passed the text on, or refused it.
    answered = asyncio.ensure_future(ping(mallory))
    ended = asyncio.ensure_future(mallory.ended.wait())
    done, waiting = await asyncio.wait({answered, ended}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    check(done, "the host server neither answers nor ends the client")
    return mallory


async def ping(person):
    """Asks the host server for a sign of life."""
    try:
        await person.ask(person.host.domain, "<ping xmlns='urn:xmpp:ping'/>", "get")
    except (Failed, Refused):
        pass


async def still_there(person, service, name):
    """The service answers; if it does not, names the stanza that did it."""
    try:
        await person.ask(service, DISCO, "get")
    except (Failed, Refused) as failure:
        raise Failed(f"after {name} the service does not answer: {failure}") from None


if __name__ == "__main__":
    run(play)
