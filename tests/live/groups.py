"""What a client asks of a group in the namespace of groups, and how both doors' views of it compare."""

import base64
import hashlib
from xml.sax.saxutils import quoteattr

import mix
from people import CLIENT, MIX, check, shown

GROUP = "urn:mixd:group:1"
G = f"{{{GROUP}}}"
PUBSUB = "http://jabber.org/protocol/pubsub"
METADATA = "urn:xmpp:avatar:metadata"
DATA = "urn:xmpp:avatar:data"
_STATUS = {"joined": "j", "waiting": "w", "left": "l"}


async def create(person, service, name, members):
    """Creates a group whose people must join; its JID, its number, and each one's status."""
    wanted = "".join(f"<member jid='{jid}' nick='{nick}'/>" for jid, nick in members)
    answer = await person.ask(
        service,
        f"<create xmlns='{MIX}'><group xmlns='{GROUP}' membership='invite'>"
        f"<name>{name}</name><nick>Alice</nick>{wanted}</group></create>",
    )
    group = answer.find(f"{{{MIX}}}create/{G}group")
    check(group is not None, f"create is answered by {shown(answer)}")
    return group.get("jid"), int(group.get("gid")), {m.get("jid"): m.get("status") for m in group.findall(f"{G}member")}


async def edit(person, channel, what, *, add=(), remove=()):
    """Changes `members` or `admins`; each one's status after it."""
    changes = "".join(f"<add jid='{jid}'/>" for jid in add) + "".join(f"<remove jid='{jid}'/>" for jid in remove)
    answer = await person.ask(channel, f"<{what} xmlns='{GROUP}'>{changes}</{what}>")
    return {m.get("jid"): m.get("status") for m in answer.findall(f"{G}{what}/{G}member")}


async def listed(person, service, **narrowed):
    """One's groups, as {number: attributes}."""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in narrowed.items())
    answer = await person.ask(service, f"<groups xmlns='{GROUP}'{attributes}/>", "get")
    return {int(g.get("gid")): g.attrib for g in answer.findall(f"{G}groups/{G}group")}


async def event(person, channel, kind, **attributes):
    """The event of that type, which the person must get."""

    def matches(stanza):
        told = stanza.find(f"{G}event") if mix.bare(stanza.get("from")) == channel else None
        wanted = {"type": kind, **attributes}
        return told is not None and all(told.get(name) == value for name, value in wanted.items())

    return await person.expect(f"the event {kind} with {attributes}", matches)


async def status(person, channel, **attributes):
    """A report on one's own message (`<status/>`), which must have exactly these attributes."""
    told = await person.expect("a status", lambda s: s.get("from") == channel and s.find(f"{G}status") is not None)
    got = dict(told.find(f"{G}status").attrib)
    check(got.pop("stamp", None), f"a status without a time: {shown(told)}")
    check(got == attributes, f"the status is {got}, not {attributes}")


async def rename(person, channel, name):
    """Publishes the name to the information node."""
    form = (
        f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MIX}</value></field>"
        f"<field var='Name'><value>{name}</value></field></x>"
    )
    await person.ask(channel, _publish("urn:xmpp:mix:nodes:info", "", form))


async def publish_avatar(person, channel, picture):
    """Publishes a JPEG (XEP-0084): bytes first, then what describes them."""
    name = hashlib.sha1(picture).hexdigest()
    data = f"<data xmlns='{DATA}'>{base64.b64encode(picture).decode()}</data>"
    info = f"<info id='{name}' bytes='{len(picture)}' type='image/jpeg'/>"
    await person.ask(channel, _publish(DATA, name, data))
    await person.ask(channel, _publish(METADATA, name, f"<metadata xmlns='{METADATA}'>{info}</metadata>"))


async def avatar(person, channel, name):
    """The bytes of the picture of that id."""
    answer = await person.ask(
        channel, f"<pubsub xmlns='{PUBSUB}'><items node='{DATA}'><item id='{name}'/></items></pubsub>", "get"
    )
    return base64.b64decode("".join(answer.find(f".//{{{DATA}}}data").itertext()))


async def avatar_told(person, channel):
    """The next event of the avatar node: the ids of the pictures, none where it was taken away."""
    items = f"{mix.EVENT}event/{mix.EVENT}items"

    def matches(stanza):
        found = stanza.find(items) if mix.bare(stanza.get("from")) == channel else None
        return found is not None and found.get("node") == METADATA

    stanza = await person.expect("an event of the avatar node", matches)
    return [info.get("id") for info in stanza.iter(f"{{{METADATA}}}info")]


def _publish(node, item, payload):
    named = f" id='{item}'" if item else ""
    return f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item{named}>{payload}</item></publish></pubsub>"


async def same_group(person, user, channel, gid):
    """Fails unless both doors show the same group; what the HTTP API shows, people by login."""
    answer = await person.ask(channel, f"<profile xmlns='{GROUP}'/>", "get")
    told, shown_there = answer.find(f"{G}profile"), await user.get("getGroup", id=gid)
    picture = told.find(f"{G}avatar")
    as_there = {
        "gs": told.get("name"),
        "go": told.get("creator").split("@")[0],
        "ts": told.get("created")[:19],
        "ae": "1" if picture is not None and picture.get("id") else "0",
        "at": picture.get("updated")[:19] if picture is not None else "",
        "ve": "0",
        "vt": "",
        "gg": [],
        "gm": [_member_there(m) for m in told.findall(f"{G}member")],
    }
    check(told.get("gid") == str(gid), f"the number is not {gid}: {shown(answer)}")
    check(shown_there == as_there, f"over HTTP: {shown_there}\nover XMPP: {as_there}")
    return {**shown_there, "gm": {m["l"]: (m["a"], m["s"]) for m in shown_there["gm"]}}


def _member_there(member):
    return {
        "l": member.get("jid").split("@")[0],
        "a": member.get("role") in ("owner", "admin"),
        "dn": member.get("nick"),
        "s": _STATUS[member.get("status")],
        "ts": member.get("since")[:19],
    }


async def same_info(person, user, channel, gid, row):
    """Fails unless both doors tell the same of a message; its counts, and who had and read it."""
    answer = await person.ask(channel, f"<message-info xmlns='{GROUP}' id={quoteattr(str(row))}/>", "get")
    told = answer.find(f"{G}message-info")
    over_http = await user.get("getMessageInfo", id=gid, mid=row)
    as_there = [
        {
            "l": r.get("jid").split("@")[0],
            "cf": r.get("delivered", "")[:19],
            "rd": r.get("read", "")[:19],
        }
        for r in told.findall(f"{G}recipient")
    ]
    check(over_http == as_there, f"over HTTP: {over_http}\nover XMPP: {as_there}")
    counts = tuple(int(told.get(name)) for name in ("recipients", "delivered", "read"))
    return counts, {r["l"]: (bool(r["cf"]), bool(r["rd"])) for r in over_http}


def is_notice(stanza, channel, kind, gid):
    """Whether it is a notice of the HTTP API about that group."""
    body = stanza.findtext(CLIENT + "body") or ""
    return stanza.get("from") == channel and body.startswith(f"~[GC M:'{kind}' GID:{gid} MID:")
