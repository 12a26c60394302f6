"""Stanzas that an ordinary client can get through a host server and that end naive components.

Each is a template: `{to}` is the channel or the service, `{channel}` the channel.
The sizes stay below the 256 KiB that the hosts take from a client.
"""

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
CORE = "urn:xmpp:mix:core:1"
DISCO = "http://jabber.org/protocol/disco#info"
MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
PUBSUB = "http://jabber.org/protocol/pubsub"


def groupchat(inner, kind="groupchat"):
    """A message with that content."""
    return f"<message to='{{to}}' type='{kind}' id='h'>{inner}</message>"


def request(inner, kind="set", more="id='h'"):
    """An IQ with that content and those further attributes."""
    return f"<iq to='{{to}}' type='{kind}' {more}>{inner}</iq>"


def archive(rsm="", fields=""):
    """A query of the archive."""
    form = f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{MAM}</value></field>{fields}</x>"
    return request(f"<query xmlns='{MAM}' queryid='h'>{form if fields else ''}<set xmlns='{RSM}'>{rsm}</set></query>")


def nested(depth, name="a"):
    """Elements within elements."""
    return f"<{name}>" * depth + f"</{name}>" * depth


STANZAS_BY_NAME = {
    "a message of no known type": groupchat("<body>x</body>", kind="foo"),
    "a message without type": "<message to='{to}'><body>x</body></message>",
    "a chat message": groupchat("<body>x</body>", kind="chat"),
    "a headline": groupchat("<body>x</body>", kind="headline"),
    "an empty message": groupchat(""),
    "two threads, bodies and subjects": groupchat("<thread>1</thread><thread>2</thread><body>a</body><body>b</body><subject>a</subject><subject>b</subject>"),
    "presence with a show of no meaning": "<presence to='{to}'><show>online</show></presence>",
    "presence with a priority of no meaning": "<presence to='{to}'><priority>lots</priority></presence>",
    "presence of no known type": "<presence to='{to}' type='foo'/>",
    "presence subscribe and probe": "<presence to='{to}' type='subscribe'/><presence to='{to}' type='probe'/>",
    "presence that enters a room": "<presence to='{to}/nick'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
    "an attribute of 9,000 bytes": groupchat(f"<body>x</body><x xmlns='urn:x' a='{'a' * 9000}'/>"),
    "an attribute of 200,000 bytes": groupchat(f"<body>x</body><x xmlns='urn:x' a='{'a' * 200_000}'/>"),
    "a namespace of 9,000 bytes": groupchat(f"<x xmlns='urn:{'x' * 9000}'/>"),
    "an id of 9,000 bytes": f"<message to='{{to}}' type='groupchat' id='{'i' * 9000}'><body>x</body></message>",
    "2,000 attributes": groupchat("<x xmlns='urn:x' " + " ".join(f"a{n}='1'" for n in range(2000)) + "/>"),
    "50,000 children": groupchat("<body>x</body><x xmlns='urn:x'>" + "<a/>" * 50_000 + "</x>"),
    "an iq without id": request(f"<query xmlns='{DISCO}'/>", "get", more=""),
    "an iq without payload": request("", "set"),
    "an iq with two payloads": request(f"<query xmlns='{DISCO}'/><query xmlns='{MAM}'/>", "get"),
    "an iq of no known type": request(f"<query xmlns='{DISCO}'/>", "foo"),
    "a result that nobody asked for": request("", "result"),
    "an error of no known condition": request(f"<error type='cancel'><boredom xmlns='{STANZAS}'/></error>", "error"),
    "an error of no known type": groupchat(f"<error type='foo'><gone xmlns='{STANZAS}'>@@@</gone></error>", kind="error"),
    "an error without error": groupchat("", kind="error"),
    "a join of nothing": request(f"<join xmlns='{CORE}'/>"),
    "a join of unknown nodes": request(f"<join xmlns='{CORE}'><subscribe/><subscribe node=''/><subscribe node='x'/></join>"),
    "a nick of 100,000 characters": request(f"<setnick xmlns='{CORE}'><nick>{'n' * 100_000}</nick></setnick>"),
    "a nick of blanks and marks": request(f"<setnick xmlns='{CORE}'><nick> \u202e\u200b\u0301 </nick></setnick>"),
    "a subscription of a bad JID": request(f"<update-subscription xmlns='{CORE}' jid='@@/'><subscribe node='x'/></update-subscription>"),
    "creating a channel of a bad name": request(f"<create xmlns='{CORE}' channel='@@/ \u00ad'/>"),
    "creating a channel of a long name": request(f"<create xmlns='{CORE}' channel='{'c' * 3000}'/>"),
    "a resource that is no participant": "<message to='{to}/no-such' type='chat' id='h'><body>x</body></message>",
    "a resource of 1,000 characters": f"<message to='{{to}}/{'r' * 1000}' type='groupchat' id='h'><body>x</body></message>",
    "a page of less than nothing": archive("<max>-1</max>"),
    "a page of everything": archive("<max>99999999999999999999</max>"),
    "a page of no number": archive("<max>many</max><index>x</index><before/><after/>"),
    "a time of no meaning": archive("", "<field var='start'><value>yesterday</value></field>"),
    "a bad JID to search for": archive("", "<field var='with'><value>@@/</value></field>"),
    "10,000 ids to search for": archive("", "<field var='ids'>" + "<value>ab</value>" * 10_000 + "</field>"),
    "an item without payload": request(f"<pubsub xmlns='{PUBSUB}'><publish node='urn:xmpp:mix:nodes:info'><item/></publish></pubsub>"),
    "items of no node": request(f"<pubsub xmlns='{PUBSUB}'><items/></pubsub>", "get"),
    "an item id that is no JID": request(f"<pubsub xmlns='{PUBSUB}'><publish node='urn:xmpp:mix:nodes:banned'><item id='@@/'/></publish></pubsub>"),
    "a delegation by a user": request("<delegation xmlns='urn:xmpp:delegation:2'><forwarded xmlns='urn:xmpp:forward:0'/></delegation>"),
    "a privilege by a user": groupchat("<privilege xmlns='urn:xmpp:privilege:2'><perm access='message' type='outgoing'/></privilege>", kind="normal"),
    "prefixes": groupchat("<p:x xmlns:p='urn:p' p:a='1' xml:lang='de'/><body xml:lang='de'>x</body>"),
    "a comment": groupchat("<!-- a comment --><body>x</body>"),
    "an instruction": groupchat("<?a b?><body>x</body>"),
    "marked text": groupchat("<body><![CDATA[<x>]]></body>"),
    "references": groupchat("<body>&#x1F600;&#9;&#xD;&lt;</body>"),
    "a reference to a control character": groupchat("<body>&#1;</body>"),
    "an unknown entity": groupchat("<body>&nbsp;</body>"),
    "a character of no XML": groupchat("<body>\uffff\ufffe</body>"),
    "3,430 levels": groupchat(f"<body>x</body><x xmlns='urn:x'>{nested(3_430)}</x>"),
    "37,000 levels": groupchat(nested(37_000)),
    "3,430 levels in a request": request(f"<query xmlns='{DISCO}'>{nested(3_430)}</query>", "get"),
    "a body of 250,000 bytes": groupchat(f"<body>{'b' * 250_000}</body>"),
    "a body above the limit": groupchat(f"<body>{'b' * 300_000}</body>"),
}

# Sent to the own account, so that the host server delegates it.
TO_OWN_ACCOUNT = {
    "a client-join of nothing": "<iq type='set' id='h'><client-join xmlns='urn:xmpp:mix:pam:2'/></iq>",
    "a client-join of a bad JID": "<iq type='set' id='h'><client-join xmlns='urn:xmpp:mix:pam:2' channel='@@/'><join xmlns='urn:xmpp:mix:core:1'/></client-join></iq>",
    "a client-join of a foreign domain": "<iq type='set' id='h'><client-join xmlns='urn:xmpp:mix:pam:2' channel='a@nowhere.invalid'><join xmlns='urn:xmpp:mix:core:1'/></client-join></iq>",
    "a client-leave of nothing": "<iq type='set' id='h'><client-leave xmlns='urn:xmpp:mix:pam:2'/></iq>",
    "3,430 levels in a client-join": f"<iq type='set' id='h'><client-join xmlns='urn:xmpp:mix:pam:2' channel='{{channel}}'>{nested(3_430)}</client-join></iq>",
    "an unknown element of MIX-PAM": "<iq type='get' id='h'><nonsense xmlns='urn:xmpp:mix:pam:2'/></iq>",
}
