"""What a MIX client asks of a channel (XEP-0369, 0405), and how it reads what comes.

Requests are written out as XML, since the plugins of slixmpp lack or bend some
of them (an empty destroy, no participant id in a join).
"""

import itertools
from xml.sax.saxutils import escape, quoteattr

from people import CLIENT, MIX, check, shown

PAM = "urn:xmpp:mix:pam:2"
NODES = "urn:xmpp:mix:nodes:"
EVENT = "{http://jabber.org/protocol/pubsub#event}"
PUBSUB = "{http://jabber.org/protocol/pubsub}"
SID = "urn:xmpp:sid:0"
STATES = "http://jabber.org/protocol/chatstates"
JOINED_NODES = ("messages", "participants", "info", "presence")
# Groups share no presence unless their owner says so.
GROUP_NODES = ("messages", "participants", "info")

_numbers = itertools.count(1)


def is_message(stanza, **wanted):
    """Whether it is a groupchat message; `body` and `sender` (a JID) narrow it."""
    if stanza.tag != CLIENT + "message" or stanza.get("type") != "groupchat":
        return False
    if "channel" in wanted and bare(stanza.get("from")) != wanted["channel"]:
        return False
    return "body" not in wanted or stanza.findtext(CLIENT + "body") == wanted["body"]


def bare(jid):
    """A JID without its resource."""
    return (jid or "").split("/", 1)[0]


def author(message):
    """(nick, jid) of the `<mix/>` of a reflected message (XEP-0369 §7.1.6)."""
    mix = message.find(f"{{{MIX}}}mix")
    check(mix is not None, f"a message without <mix xmlns='{MIX}'>: {shown(message)}")
    return mix.findtext(f"{{{MIX}}}nick"), mix.findtext(f"{{{MIX}}}jid")


def archive_id(message, channel):
    """The `<stanza-id/>` by the channel; the message must have exactly one."""
    ids = [i.get("id") for i in message.findall(f"{{{SID}}}stanza-id") if i.get("by") == channel]
    check(len(ids) == 1 and ids[0], f"not exactly one stanza-id by {channel}: {shown(message)}")
    return ids[0]


async def create(person, service, name):
    """Creates a channel and returns its JID."""
    answer = await person.ask(service, f"<create xmlns='{MIX}' channel={quoteattr(name)}/>")
    made = answer.find(f"{{{MIX}}}create")
    check(made is not None and made.get("channel") == name, f"create is answered by {shown(answer)}")
    return f"{name}@{service}"


def join_payload(channel, nick, nodes=JOINED_NODES):
    """The client-join of XEP-0405."""
    subscribe = "".join(f"<subscribe node='{NODES}{n}'/>" for n in nodes)
    return (
        f"<client-join xmlns='{PAM}' channel={quoteattr(channel)}>"
        f"<join xmlns='{MIX}'><nick>{escape(nick)}</nick>{subscribe}</join></client-join>"
    )


async def join(person, channel, nick, nodes=JOINED_NODES):
    """Joins through the person's own account; checks what is granted; the participant id."""
    answer = await person.ask(person.bare, join_payload(channel, nick, nodes))
    joined = answer.find(f"{{{PAM}}}client-join/{{{MIX}}}join")
    check(joined is not None, f"client-join is answered by {shown(answer)}")
    granted = {s.get("node") for s in joined.findall(f"{{{MIX}}}subscribe")}
    wanted = {NODES + n for n in nodes}
    check(granted == wanted, f"asked for {sorted(wanted)}, granted {sorted(granted)}")
    check(joined.findtext(f"{{{MIX}}}nick") == nick, f"the nick is not told: {shown(answer)}")
    check(joined.get("id"), f"a join without a participant id: {shown(answer)}")
    return joined.get("id")


def leave_payload(channel):
    """The client-leave of XEP-0405."""
    return f"<client-leave xmlns='{PAM}' channel={quoteattr(channel)}><leave xmlns='{MIX}'/></client-leave>"


async def leave(person, channel):
    """Leaves through the person's own account."""
    answer = await person.ask(person.bare, leave_payload(channel))
    left = answer.find(f"{{{PAM}}}client-leave/{{{MIX}}}leave")
    check(left is not None, f"client-leave is answered by {shown(answer)}")


async def items(person, channel, node):
    """The items of a node, as {item id: item}."""
    answer = await person.ask(channel, f"<pubsub xmlns='{PUBSUB[1:-1]}'><items node='{NODES}{node}'/></pubsub>", "get")
    return {item.get("id"): item for item in answer.iter(PUBSUB + "item")}


def say(person, channel, body, origin_id=None, extra=""):
    """Sends a message to the channel; its origin id (XEP-0359)."""
    origin_id = origin_id or f"{person.name}-{next(_numbers)}"
    person.send_raw(
        f"<message type='groupchat' to={quoteattr(channel)} id={quoteattr(origin_id)}>"
        f"<body>{escape(body)}</body><origin-id xmlns='{SID}' id={quoteattr(origin_id)}/>{extra}</message>"
    )
    return origin_id


async def heard(person, channel, body):
    """The message with this body, which the person must get."""
    return await person.expect(f"the message {body!r}", lambda s: is_message(s, channel=channel, body=body))


async def say_and_hear(channel, speaker, listeners, body):
    """A message that the listeners (not only the speaker) must get; its archive id."""
    say(speaker, channel, body)
    got = [await heard(listener, channel, body) for listener in listeners]
    ids = {archive_id(message, channel) for message in got}
    check(len(ids) == 1, f"{body!r} has several archive ids: {ids}")
    return ids.pop()


def type_state(person, channel, state):
    """Sends a chat state alone (XEP-0085)."""
    person.send_raw(
        f"<message type='groupchat' to={quoteattr(channel)} id='state-{next(_numbers)}'>"
        f"<{state} xmlns='{STATES}'/></message>"
    )


def is_state(stanza, channel, state=None):
    """Whether it is a chat state from the channel, of that kind if given."""
    if stanza.tag != CLIENT + "message" or bare(stanza.get("from")) != channel:
        return False
    found = [child.tag for child in stanza if child.tag.startswith(f"{{{STATES}}}")]
    return bool(found) and stanza.find(CLIENT + "body") is None and (state is None or found == [f"{{{STATES}}}{state}"])


def event_items(stanza, channel, node):
    """The `<items/>` of a pubsub event of that node from the channel, or None."""
    if stanza.tag != CLIENT + "message" or bare(stanza.get("from")) != channel:
        return None
    for found in stanza.findall(f"{EVENT}event/{EVENT}items"):
        if found.get("node") == NODES + node:
            return found
    return None


def tells_participant(stanza, channel, participant, nick):
    """Whether it is a participants event with that participant under that nick."""
    found = event_items(stanza, channel, "participants")
    return found is not None and any(
        item.get("id") == participant and item.findtext(f"{{{MIX}}}participant/{{{MIX}}}nick") == nick
        for item in found.findall(EVENT + "item")
    )


def tells_departure(stanza, channel, participant):
    """Whether it is a participants event that retracts that participant."""
    found = event_items(stanza, channel, "participants")
    return found is not None and any(r.get("id") == participant for r in found.findall(EVENT + "retract"))
