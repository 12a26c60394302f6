"""Questions to a channel's archive (XEP-0313, RSM of XEP-0059) and checks of the answers."""

import itertools
from xml.sax.saxutils import escape

from people import CLIENT, check, shown
from mix import SID

MAM = "urn:xmpp:mam:2"
RSM = "http://jabber.org/protocol/rsm"
FORM = "jabber:x:data"

_queries = itertools.count(1)


class Row:
    """One archived message: its `id`, `stamp` (XEP-0082) and the message itself."""

    def __init__(self, result):
        forwarded = result.find("{urn:xmpp:forward:0}forwarded")
        self.id = result.get("id")
        self.stamp = forwarded.find("{urn:xmpp:delay}delay").get("stamp")
        self.message = forwarded.find(CLIENT + "message")
        check(self.message is not None, f"an archived message is not in jabber:client: {shown(result)}")

    @property
    def body(self):
        """The text of the message."""
        return self.message.findtext(CLIENT + "body")


class Page:
    """One answer: its `rows` in the order sent, `complete`, RSM's `first`, `last`, `count`."""

    def __init__(self, rows, fin):
        self.rows = rows
        self.ids = [row.id for row in rows]
        self.bodies = [row.body for row in rows]
        self.complete = fin.get("complete") == "true"
        self.first = fin.findtext(f"{{{RSM}}}set/{{{RSM}}}first")
        self.last = fin.findtext(f"{{{RSM}}}set/{{{RSM}}}last")
        self.count = fin.findtext(f"{{{RSM}}}set/{{{RSM}}}count")


def _payload(query, fields, rsm, flip):
    form = ""
    if fields:
        given = "".join(
            f"<field var='{name}'>{''.join(f'<value>{escape(v)}</value>' for v in values)}</field>"
            for name, values in fields.items()
        )
        form = (
            f"<x xmlns='{FORM}' type='submit'><field var='FORM_TYPE' type='hidden'>"
            f"<value>{MAM}</value></field>{given}</x>"
        )
    limits = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in rsm.items() if value is not None)
    flipped = "<flip-page/>" if flip else ""
    return f"<query xmlns='{MAM}' queryid='{query}'>{form}<set xmlns='{RSM}'>{limits}</set>{flipped}</query>"


async def page(person, channel, *, flip=False, newest_first=False, fields=None, **rsm):
    """Asks for one page. `rsm`: max, before ('' = the last page), after; `fields`: name → list of values.

    `newest_first`: the rows are expected so without `flip`, as those of a query for media.
    """
    query = f"q{next(_queries)}"
    answer = await person.ask(channel, _payload(query, fields, rsm, flip))
    fin = answer.find(f"{{{MAM}}}fin")
    check(fin is not None, f"the archive answers {shown(answer)}")
    results = [s for s in person.inbox if _result(s, query) is not None]
    for stanza in results:
        person.inbox.remove(stanza)
        check(stanza.get("from") == channel, f"a result not from the channel: {shown(stanza)}")
    found = Page([Row(_result(s, query)) for s in results], fin)
    if found.ids:
        check((found.first, found.last) == _edges(found.ids, flip or newest_first), f"first and last do not fit: {shown(answer)}")
    return found


def _edges(ids, flip):
    # XEP-0313 §4.3: flipping turns the order of sending, not the sense of first and last.
    return (ids[-1], ids[0]) if flip else (ids[0], ids[-1])


def _result(stanza, query):
    result = stanza.find(f"{{{MAM}}}result") if stanza.tag == CLIENT + "message" else None
    return result if result is not None and result.get("queryid") == query else None


async def whole(person, channel, page_rows=50):
    """All rows, paged forward."""
    rows, after = [], None
    while True:
        found = await page(person, channel, max=page_rows, after=after)
        rows += found.rows
        if found.complete:
            return rows
        check(found.rows, "an empty page that is not complete: paging would never end")
        after = found.last


def check_row_of(row, channel, message):
    """The archived form of a message that came: same id everywhere, no `to` (XEP-0369 §7.1.6)."""
    check(row.id == message.get("id"), f"archive id {row.id}, but the message came as {shown(message)}")
    check(row.message.get("from") == message.get("from"), f"archived from another address: {shown(row.message)}")
    check(row.message.get("to") is None, f"archived with a 'to': {shown(row.message)}")
    check(row.body == message.findtext(CLIENT + "body"), f"archived another body: {shown(row.message)}")
    kept = row.message.find(f"{{{SID}}}origin-id")
    sent = message.find(f"{{{SID}}}origin-id")
    check(
        kept is not None and sent is not None and kept.get("id") == sent.get("id"),
        f"the origin id is not archived: {shown(row.message)}",
    )
