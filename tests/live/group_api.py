"""A user of the HTTP API for groups: plain requests with Basic authentication, and nothing of XMPP."""

import asyncio
import base64
import json
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from people import ANSWER_S_MAX, check

# Nothing of the surroundings may stand between the test and the loopback address.
_opener = build_opener(ProxyHandler({}))
_BOUNDARY = "the-parts-end-here"


class Answer:
    """An answer: its `status`, its `body` in bytes, its `headers`."""

    def __init__(self, status, body, headers):
        self.status, self.body, self.headers = status, body, headers


class ApiUser:
    """An account that uses the HTTP API alone."""

    def __init__(self, host, name):
        self.url, self.name, self.bare = host.api, name, f"{name}@{host.domain}"
        login = base64.b64encode(f"{name}:pw-{name}".encode()).decode()
        self.headers = {"Authorization": f"Basic {login}"}

    def _send(self, body, kind):
        request = Request(self.url, data=body, headers={**self.headers, "Content-Type": kind}, method="POST")
        try:
            with _opener.open(request, timeout=ANSWER_S_MAX) as answer:
                return Answer(answer.status, answer.read(), answer.headers)
        except HTTPError as refusal:
            return Answer(refusal.code, refusal.read(), refusal.headers)

    async def request(self, method, **pm):
        """The answer to a method with those parameters, whatever it is."""
        form = urlencode({"gm": method, "pm": json.dumps(pm)}).encode()
        return await asyncio.to_thread(self._send, form, "application/x-www-form-urlencoded")

    async def done(self, method, **pm):
        """Fails unless the method is answered with 200 alone; the headers."""
        answer = await self.request(method, **pm)
        check((answer.status, answer.body) == (200, b"200"), f"{method} gives {answer.status} {answer.body[:200]!r}")
        return answer.headers

    async def get(self, method, **pm):
        """The JSON that the method answers with."""
        return _json(method, await self.request(method, **pm))

    async def refused(self, code, method, **pm):
        """Fails unless the method is refused with that code, as status and as body."""
        _is_refused(code, method, await self.request(method, **pm))

    async def send(self, gid, text):
        """Sends a message; the number of its row."""
        headers = await self.done("sendMessage", id=gid, dn=self.name, mb=text)
        return int(headers["Message-Id"])

    async def _upload(self, gid, content):
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="'
        fields = "".join(f'{head}{n}"\r\n\r\n{v}\r\n' for n, v in (("gm", "uploadAvatar"), ("pm", f'{{"id": {gid}}}')))
        file = f'{head}file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        body = (fields + file).encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
        return await asyncio.to_thread(self._send, body, f"multipart/form-data; boundary={_BOUNDARY}")

    async def upload_avatar(self, gid, content):
        """Puts a picture there; what is answered."""
        return _json("uploadAvatar", await self._upload(gid, content))

    async def upload_refused(self, code, gid, content):
        """Fails unless the picture is refused with that code."""
        _is_refused(code, "uploadAvatar", await self._upload(gid, content))


def _json(method, answer):
    check(answer.status == 200, f"{method} gives {answer.status} {answer.body[:200]!r}")
    return json.loads(answer.body)


def _is_refused(code, method, answer):
    got, wanted = (answer.status, answer.body[:200]), (code, str(code).encode())
    check(got == wanted, f"{method} should give {wanted}, gives {got}")
