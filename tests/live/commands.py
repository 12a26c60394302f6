"""An operator and an owner run the service by ad-hoc commands, as any client with a command UI does (slixmpp's xep_0050)."""

import asyncio

import mix
from people import ANSWER_S_MAX, CLIENT, Person, check, shown
from scenario import run, step

COMMANDS = "http://jabber.org/protocol/commands"
OWN = "urn:mixd:command:1#"
NODES = ("messages", "participants")
ANNOUNCE = "http://jabber.org/protocol/admin#announce"


class Commander:
    """Somebody with a command UI."""

    def __init__(self, person):
        self.person = person
        for plugin in ("xep_0004", "xep_0050"):
            person.register_plugin(plugin)
        self.adhoc = person.plugin["xep_0050"]

    async def found(self, at):
        """The nodes of the commands that an address offers, by their names."""
        answer = await self.adhoc.get_commands(at, timeout=ANSWER_S_MAX)
        return {name: node for _, node, name in answer["disco_items"]["items"]}

    async def opened(self, at, node):
        """Starts a command: the answer, and its session."""
        return await self._answered(lambda session: self.adhoc.start_command(at, node, session), {})

    async def completed(self, session, direction="complete", **values):
        """Sends the form of a session back with these values, and takes what comes."""
        form = self.person.plugin["xep_0004"].make_form(ftype="submit")
        for var, value in values.items():
            form.add_field(var=var.replace("_", " ") if var[0].isupper() else var, value=value)
        session["payload"] = [form]
        send = {"complete": self.adhoc.complete_command, "next": self.adhoc.continue_command}[direction]
        return await self._answered(send, session)

    async def _answered(self, send, session):
        answered = asyncio.get_running_loop().create_future()
        session["next"] = session["error"] = lambda iq, session: answered.set_result((iq, session))
        send(session)
        return await asyncio.wait_for(answered, ANSWER_S_MAX)

    async def done(self, at, node, **values):
        """A command from its form to its note."""
        answer, session = await self.opened(at, node)
        check(answer["command"]["status"] == "executing", f"{node} does not begin: {shown(answer.xml)}")
        check(answer["command"]["sessionid"], f"{node} has no session: {shown(answer.xml)}")
        check(answer["command"]["actions"] == {"complete"}, f"{node} cannot be completed: {shown(answer.xml)}")
        answer, _ = await self.completed(session, **values)
        check(answer["command"]["status"] == "completed", f"{node} is not done: {shown(answer.xml)}")
        check(answer["command"]["notes"], f"{node} says nothing: {shown(answer.xml)}")
        return answer

    async def refused(self, condition, at, node, **values):
        """A command that ends in an error."""
        answer, session = await self.opened(at, node)
        if answer["type"] != "error":
            answer, _ = await self.completed(session, **values)
        check(answer["type"] == "error", f"{node} is not refused: {shown(answer.xml)}")
        check(answer["error"]["condition"] == condition, f"{node} is refused by {shown(answer.xml)}")


def rows(answer):
    """The rows of a table."""
    return answer["command"]["form"].get_items()


async def play(host):
    """The claims, in the order in which people meet them."""
    alice, bob = Person(host, "alice"), Person(host, "bob")
    operator, other = Commander(alice), Commander(bob)
    await alice.come_online()
    await bob.come_online()
    service = host.service
    step("everybody finds the commands it may run")
    found = await operator.found(service)
    wanted = {OWN + name for name in ("list-channels", "create-channel", "configure", "kick", "ban", "unban", "destroy")}
    wanted |= {f"{OWN}{verb}-account" for verb in ("show", "end", "export", "erase")}
    wanted |= {OWN + "statistics", OWN + "close-rooms", ANNOUNCE}
    check(wanted == set(found.values()), f"an operator finds {found}")
    check(set((await other.found(service)).values()) == {OWN + "list-channels", OWN + "create-channel"}, "bob finds more")
    about = await alice.plugin["xep_0030"].get_info(jid=service, node=OWN + "kick", timeout=ANSWER_S_MAX)
    kinds = {identity[:2] for identity in about["disco_info"]["identities"]}
    check(kinds == {("automation", "command-node")}, f"a command is {kinds}")

    step("a channel is created, listed, and joined")
    await operator.done(service, OWN + "create-channel", name="forres")
    channel = f"forres@{service}"
    listed = rows(await operator.done(service, OWN + "list-channels", max_items="100"))
    check({"channel": channel, "creator": alice.bare, "listed": "yes"} in listed, f"listed are {listed}")
    listed = rows(await other.done(service, OWN + "list-channels", max_items="100"))
    check({"channel": channel} in listed, f"bob sees {listed}")
    await mix.join(alice, channel, "king", NODES)
    bobs_id = await mix.join(bob, channel, "thane", NODES)

    await configures(operator, other, service, channel)
    await announces(operator, alice, bob, service, channel)
    await removes(operator, alice, bob, service, channel, bobs_id)

    step("a channel is destroyed")
    await operator.refused("bad-request", service, OWN + "destroy", channel="forres", sure="0")
    await operator.done(service, OWN + "destroy", channel="forres", sure="1")
    listed = rows(await operator.done(service, OWN + "list-channels", max_items="100"))
    check(channel not in [row["channel"] for row in listed], f"it is still listed: {listed}")
    await operator.refused("item-not-found", service, OWN + "destroy", channel="forres", sure="1")
    await alice.go_offline()
    await bob.go_offline()


async def configures(operator, other, service, channel):
    """In two stages at the service, in one at the channel."""
    step("a channel is configured, stage by stage")
    answer, session = await operator.opened(service, OWN + "configure")
    check(answer["command"]["actions"] == {"next"}, f"the first stage: {shown(answer.xml)}")
    answer, session = await operator.completed(session, "next", channel="forres")
    fields = answer["command"]["form"].get_fields()
    check("Administrator" in fields, f"the second stage has {list(fields)}")
    check(answer["command"]["actions"] == {"prev", "complete"}, f"the second stage: {shown(answer.xml)}")
    answer, _ = await operator.completed(session, channel="forres", Administrator=[other.person.bare])
    check(answer["command"]["status"] == "completed", f"it is not configured: {shown(answer.xml)}")
    check(OWN + "kick" in (await other.found(channel)).values(), "an admin finds no commands at the channel")
    await operator.done(channel, OWN + "configure", Administrator=[])
    check(set((await other.found(channel)).values()) == {OWN + "statistics"}, "bob still finds commands")
    await other.refused("forbidden", channel, OWN + "configure")


async def announces(operator, alice, bob, service, channel):
    """In one channel, and to everybody."""
    step("announcements reach people")
    await operator.done(channel, OWN + "announce", subject="Supper", announcement="There is a seat left.")
    await operator.done(service, ANNOUNCE, announcement="The service is going down.")
    for person in (alice, bob):
        for sender, body in ((channel, "There is a seat left."), (service, "The service is going down.")):

            def told(stanza, sender=sender, body=body):
                is_it = stanza.tag == CLIENT + "message" and stanza.get("from") == sender
                return is_it and stanza.findtext(CLIENT + "body") == body

            await person.expect(f"what {sender} announces", told)


async def removes(operator, alice, bob, service, channel, bobs_id):
    """Removed, banned, and let in again."""
    step("people are listed, removed, and kept out")
    people = rows(await operator.done(channel, OWN + "list-participants", max_items="25"))
    check({p["jid"]: p["role"] for p in people} == {alice.bare: "owner", bob.bare: "member"}, f"in it are {people}")
    await operator.done(service, OWN + "kick", channel=channel, accounts=[bob.bare])
    await alice.expect("bob's removal", lambda s: mix.tells_departure(s, channel, bobs_id))
    await operator.done(channel, OWN + "ban", account=bob.bare)
    await bob.is_refused("not-allowed", bob.bare, mix.join_payload(channel, "ghost"))
    await operator.done(channel, OWN + "unban", account=bob.bare)
    await mix.join(bob, channel, "ghost", NODES)
    answer, _ = await operator.opened(channel, OWN + "statistics")
    found = {var: field["value"] for var, field in answer["command"]["form"].get_fields().items()}
    check(answer["command"]["status"] == "completed" and found["participants"] == "2", f"counted are {found}")
    answer, _ = await operator.opened(service, OWN + "statistics")
    found = {var: field["value"] for var, field in answer["command"]["form"].get_fields().items()}
    check(int(found["channels"]) >= 1, f"counted are {found}")


if __name__ == "__main__":
    run(play)
