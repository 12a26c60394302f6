"""The name, the admins and the picture of a group, changed at both doors."""

import hashlib

import groups
from groups import same_group
from people import check
from scenario import step

JPEG = b"\xff\xd8\xff\xe0"
PICTURE_BYTES_MAX = 102_400


async def renames_and_admins(alice, bob, carol, channel, gid):
    """Admins come and go at both doors; a name given at one is seen at the other."""
    step("who is no admin changes nothing; then both doors rename and make admins")
    await groups.rename(alice, channel, "Sunday")
    check((await same_group(alice, bob, channel, gid))["gs"] == "Sunday", "the name of XMPP is not seen")
    await groups.event(alice, channel, "profile-changed", what="name", by=alice.bare)
    await bob.refused(444, "setGroupSubject", id=gid, gs="Bob's")
    await bob.refused(444, "addAdmin", id=gid, gm=["bob"])
    await groups.edit(alice, channel, "admins", add=[bob.bare])
    await groups.event(alice, channel, "admin-added", jid=bob.bare, role="admin")
    await bob.done("setGroupSubject", id=gid, gs="Bob's")
    await groups.event(alice, channel, "profile-changed", what="name", by=bob.bare)
    await bob.done("addAdmin", id=gid, gm=["carol"])
    await groups.event(alice, channel, "admin-added", jid=carol.bare, by=bob.bare)
    seen = await same_group(alice, bob, channel, gid)
    check(seen["gm"] == {n: (True, "j") for n in ("alice", "bob", "carol")}, f"not all are admins: {seen}")
    await bob.done("delAdmin", id=gid, gm=["carol"])
    await groups.event(alice, channel, "admin-removed", jid=carol.bare, by=bob.bare)
    await bob.refused(444, "delAdmin", id=gid, gm=["alice"])
    seen = await same_group(alice, carol, channel, gid)
    check(seen["gs"] == "Bob's" and seen["gm"]["carol"] == (False, "j"), f"the group is {seen}")


async def pictures(alice, bob, channel, gid):
    """A JPEG put there at one door comes out at the other, byte by byte."""
    step("pictures go both ways")
    first, second = JPEG + bytes(range(256)) * 300, JPEG + b"second"
    await bob.upload_refused(407, gid, b"\x89PNG\r\n\x1a\n" + b"x" * 40)
    await bob.upload_refused(411, gid, JPEG + bytes(PICTURE_BYTES_MAX))
    check((await same_group(alice, bob, channel, gid))["ae"] == "0", "a refused picture is there")
    put = await bob.upload_avatar(gid, first)
    name = hashlib.sha1(first).hexdigest()
    check(await groups.avatar_told(alice, channel) == [name], "another picture is told of")
    await groups.event(alice, channel, "profile-changed", what="avatar", by=bob.bare)
    check(await groups.avatar(alice, channel, name) == first, "the picture differs over XMPP")
    seen = await same_group(alice, bob, channel, gid)
    check((seen["ae"], seen["at"]) == ("1", put["at"]), f"the picture is not in the group: {seen}")
    await groups.publish_avatar(alice, channel, second)
    check(await groups.avatar_told(alice, channel) == [hashlib.sha1(second).hexdigest()], "another picture is told of")
    got = await bob.request("downloadAvatar", id=gid, t="image")
    check((got.status, got.headers["Content-Type"], got.body) == (200, "image/jpeg", second), f"downloaded {got.body}")
    await bob.get("delAvatar", id=gid)
    check(await groups.avatar_told(alice, channel) == [], "the end of the picture is not told")
    await bob.refused(404, "downloadAvatar", id=gid, t="image")
    check((await same_group(alice, bob, channel, gid))["ae"] == "0", "the picture is still there")
