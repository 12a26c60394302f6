"""The MIX plugins of slixmpp, as an application uses them, and a channel that hides JIDs (XEP-0404)."""

import mix
from people import CLIENT, MIX, Person, check, shown
from scenario import run, step
from slixmpp import JID

CHANNEL = "blasted-heath"
FORM = "jabber:x:data"
ANON = "urn:xmpp:mix:anon:0"
ADMIN = "urn:xmpp:mix:admin:0"
NODES = ("messages", "participants", "info")


async def play(host):
    """Erin makes a channel that hides JIDs; Frank joins it; they find one another through it."""
    erin = await plugged(host, "erin")
    frank = await plugged(host, "frank")
    channel = await the_service_is_found(erin, host)
    await hide_jids(erin, channel)
    await both_join(erin, frank, channel)
    ids = await participants_have_no_jids(erin, frank, channel)
    await messages_have_no_jids(erin, frank, channel)
    await whose_ids_are_whose(erin, frank, channel, ids)
    await preferences_are_kept(frank, channel)
    await private_messages(erin, frank, channel, ids)
    await vcards(erin, frank, channel, ids)
    step("the plugin leaves")
    await frank.plugin["xep_0405"].leave_channel(JID(channel))
    await erin.expect("frank's departure", lambda s: mix.tells_departure(s, channel, ids["frank"]))
    await frank.go_offline()
    await erin.go_offline()


async def plugged(host, name):
    """A person whose client has the plugins."""
    person = Person(host, name)
    for plugin in ("xep_0004", "xep_0060", "xep_0054", "xep_0404"):
        person.register_plugin(plugin)
    person.heard_of = []
    person.add_event_handler("mix_message", person.heard_of.append)
    return await person.come_online()


async def the_service_is_found(erin, host):
    """It is in the list of the server's services, and says what it is; a channel is made and listed."""
    step("the plugin finds the service and makes a channel")
    listed = await erin.plugin["xep_0030"].get_items(jid=JID(host.domain))
    services = [item[0] for item in listed["disco_items"]["items"]]
    check(host.service in services, f"the server lists {services}")
    check(await erin.plugin["xep_0369"].can_create_channel(JID(host.service)), "erin may create no channel")
    name = await erin.plugin["xep_0369"].create_channel(JID(host.service), CHANNEL)
    check(name == CHANNEL, f"the channel is called {name}")
    channels = [jid for jid, _ in await erin.plugin["xep_0369"].list_channels(JID(host.service))]
    check(f"{CHANNEL}@{host.service}" in channels, f"listed are {channels}")
    return f"{CHANNEL}@{host.service}"


async def hide_jids(erin, channel):
    """XEP-0406 §3.2."""
    step("its owner has it hide JIDs")
    form = (
        f"<x xmlns='{FORM}' type='submit'><field var='FORM_TYPE'><value>{ADMIN}</value></field>"
        "<field var='JID Visibility'><value>jid-hidden</value></field></x>"
    )
    publish = f"<publish node='{mix.NODES}config'><item>{form}</item></publish>"
    await erin.ask(channel, f"<pubsub xmlns='{mix.PUBSUB[1:-1]}'>{publish}</pubsub>")


async def both_join(erin, frank, channel):
    """Through their accounts, with every node granted that they ask for."""
    step("the plugin joins")
    wanted = {mix.NODES + node for node in NODES}
    for person, nick in ((erin, "first witch"), (frank, "second witch")):
        check(await person.plugin["xep_0405"].check_server_capability(), f"the server of {person.name} speaks no PAM")
        missing = await person.plugin["xep_0405"].join_channel(JID(channel), nick, set(wanted))
        check(not missing, f"{person.name} was not granted {missing}")
    nodes = await frank.plugin["xep_0369"].list_mix_nodes(JID(channel))
    check(wanted <= nodes, f"the channel has {nodes}")
    info = await frank.plugin["xep_0369"].get_channel_info(JID(channel))
    check(info["Name"] == CHANNEL, f"the channel says of itself {info}")


async def participants_have_no_jids(erin, frank, channel):
    """By the plugin's list; the ids by names."""
    step("participants have nicks and no JIDs")
    found = await frank.plugin["xep_0369"].list_participants(JID(channel))
    check(all(jid is None for _, _, jid in found), f"participants are {found}")
    ids = {nick: participant for participant, nick, _ in found}
    check(set(ids) == {"first witch", "second witch"}, f"participants are {found}")
    return {"erin": ids["first witch"], "frank": ids["second witch"]}


async def messages_have_no_jids(erin, frank, channel):
    """Live by the plugin's event, and from the archive."""
    step("messages name nobody, as they come and from the archive")
    mix.say(frank, channel, "Fair is foul")
    for person in (erin, frank):
        got = await mix.heard(person, channel, "Fair is foul")
        check(mix.author(got) == ("second witch", None), f"not without its author's JID: {shown(got)}")
    check(len(erin.heard_of) == 1 and erin.heard_of[0]["mix"]["nick"] == "second witch", "the plugin heard nothing")
    await erin.ask(channel, "<query xmlns='urn:xmpp:mam:2'/>")
    row = await erin.expect("a row", lambda s: s.find("{urn:xmpp:mam:2}result") is not None)
    check(frank.bare not in shown(row), f"the archive names frank: {shown(row)}")


async def whose_ids_are_whose(erin, frank, channel, ids):
    """The map of JIDs is the owner's."""
    step("the map of JIDs is for those who administer the channel")
    mapped = {
        key: item.findtext(f"{{{ANON}}}participant/{{{ANON}}}jid")
        for key, item in (await mix.items(erin, channel, "jidmap")).items()
    }
    check(mapped == {ids["erin"]: erin.bare, ids["frank"]: frank.bare}, f"the map is {mapped}")
    items = f"<pubsub xmlns='{mix.PUBSUB[1:-1]}'><items node='{mix.NODES}jidmap'/></pubsub>"
    await frank.is_refused("forbidden", channel, items, "get")


async def preferences_are_kept(frank, channel):
    """The plugin reads the form; what it sends for a change is an empty one, so that is sent by its stanza classes."""
    step("the plugin reads preferences, and its stanzas change them")
    form = await frank.plugin["xep_0404"].get_preferences(JID(channel))
    values = form.get_values()
    check(values["Private Messages"] == "allow" and values["vCard"] == "block", f"preferences are {values}")
    changed = frank.plugin["xep_0004"].make_form(ftype="submit")
    changed.add_field(var="FORM_TYPE", ftype="hidden", value=ANON)
    changed.add_field(var="vCard", value="allow")
    iq = frank.make_iq_set(ito=JID(channel))
    iq["user_preference"].append(changed)
    kept = (await iq.send())["user_preference"]["form"].get_values()
    check(kept["vCard"] == "allow", f"preferences are {kept}")


async def private_messages(erin, frank, channel, ids):
    """Each knows the other by its address in the channel alone."""
    step("a private message reaches the other, and its answer the resource that asked")

    def says(body, sender):
        return lambda s: (
            s.tag == CLIENT + "message" and s.findtext(CLIENT + "body") == body and mix.bare(s.get("from")) == sender
        )

    addresses = {name: f"{ids[name]}#{channel}" for name in ids}
    erin.send_message(mto=JID(addresses["frank"]), mbody="When shall we meet?", mtype="chat")
    got = await frank.expect("a private message", says("When shall we meet?", addresses["erin"]))
    check(erin.boundjid.resource not in got.get("from"), f"the resource is told: {shown(got)}")
    frank.send_message(mto=JID(got.get("from")), mbody="In thunder", mtype="chat")
    answer = await erin.expect("its answer", says("In thunder", addresses["frank"]))
    check(answer.get("to") == erin.boundjid.full, f"not to the resource that asked: {shown(answer)}")


async def vcards(erin, frank, channel, ids):
    """Frank shows its vCard, and Erin does not."""
    version = await erin.ask(erin.boundjid.domain, "<query xmlns='jabber:iq:version'/>", "get")
    if version.findtext("{jabber:iq:version}query/{jabber:iq:version}version").startswith("24.12"):
        step("ejabberd 24.12 lets no question of a component through to its accounts: no vCards (docs/ejabberd.md)")
        return
    step("a vCard is read through the channel by leave of its owner, and names no JID")
    card = "<vCard xmlns='vcard-temp'><FN>Frank</FN><JABBERID>%s</JABBERID></vCard>" % frank.bare
    await frank.ask(None, card)
    answer = await erin.ask(f"{ids['frank']}#{channel}", "<vCard xmlns='vcard-temp'/>", "get")
    check(answer.findtext("{vcard-temp}vCard/{vcard-temp}FN") == "Frank", f"the vCard is {shown(answer)}")
    check(frank.bare not in shown(answer), f"the vCard names frank: {shown(answer)}")
    await frank.is_refused("forbidden", f"{ids['erin']}#{channel}", "<vCard xmlns='vcard-temp'/>", "get")


if __name__ == "__main__":
    run(play)
