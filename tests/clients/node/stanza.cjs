// A client on the library stanza: it keeps what it is told, and does what it is asked to.

const fulfil = require('./wishes.cjs');
const { createClient, JID } = require('stanza');

const AGAIN_MS = 500;
let client;
const rooms = new Map();
const whispers = new Map();
const seen = [];

const room = (jid) => {
    const bare = JID.toBare(jid);
    if (!rooms.has(bare)) rooms.set(bare, { messages: [], people: new Set(), subject: null });
    return rooms.get(bare);
};

/** Keeps a message, in the place of the one that it corrects, and once. */
function keep(message) {
    const { messages } = room(message.from);
    const shown = { id: message.id, from: message.from, text: message.body };
    const old = messages.findIndex((it) => it.from === message.from && it.id === (message.replace ?? message.id));
    if (old >= 0) messages[old] = { ...shown, id: messages[old].id };
    else messages.push(shown);
}

const lines = (messages) => messages.map((it) => `${JID.getResource(it.from)}: ${it.text}`);

fulfil({
    async start(jid, password, websocket) {
        client = createClient({ jid, password, resource: 'stanza', autoReconnect: true, maxReconnectBackoff: 1,
            transports: { websocket, bosh: false } });
        client.on('raw:*', (way, text) => seen.push(`${way} ${text}`));
        client.on('groupchat', (message) => message.body && keep(message));
        client.on('muc:topic', (told) => { room(told.room).subject = told.topic; });
        client.on('muc:available', (told) => room(told.from).people.add(JID.getResource(told.from)));
        client.on('muc:unavailable', (told) => room(told.from).people.delete(JID.getResource(told.from)));
        client.on('muc:leave', (told) => room(told.from).people.clear());
        // While the host server is up and the service is not, ejabberd refuses; the library tries once, and says so by a
        // promise that nobody holds.
        process.on('unhandledRejection', (reason) => seen.push(`refused ${JSON.stringify(reason)}`));
        client.on('muc:failed', ({ from }) => {
            const again = () => client.joinRoom(JID.toBare(from), JID.getResource(from)).catch(() => {});
            setTimeout(again, AGAIN_MS);
        });
        client.on('chat', (message) => {
            if (message.body) whispers.set(message.from, [...(whispers.get(message.from) ?? []), message.body]);
        });
        const online = new Promise((resolve, reject) => {
            client.once('session:started', resolve);
            client.once('auth:failed', () => reject(new Error('it may not log in')));
        });
        client.connect();
        await online;
        await client.getRoster();
        client.sendPresence();
    },
    async enter(jid, nick) {
        await client.joinRoom(jid, nick, { muc: { history: { maxStanzas: 0 } } });
        const { results } = await client.searchHistory(jid, { paging: { before: '', max: 50 } });
        for (const { item } of results) {
            if (item.message?.body) keep(item.message);
        }
    },
    lines: (jid) => lines(room(jid).messages),
    people: (jid) => [...room(jid).people],
    subject: (jid) => room(jid).subject,
    whispers: (jid) => whispers.get(jid) ?? [],
    say: (jid, text) => client.sendMessage({ to: jid, type: 'groupchat', body: text }),
    correct(jid, old, text) {
        const said = room(jid).messages.findLast((it) => it.text === old);
        client.sendMessage({ to: jid, type: 'groupchat', body: text, replace: said.id });
    },
    nick: (jid, nick) => void client.changeNick(jid, nick),
    async create(jid, nick) {
        await client.joinRoom(jid, nick);
        await client.configureRoom(jid, { type: 'submit', fields: [] });
    },
    async configure(jid, name) {
        const form = await client.getRoomConfig(jid);
        const fields = form.fields.map((field) =>
            field.name === 'muc#roomconfig_roomname' ? { ...field, value: name } : field);
        await client.configureRoom(jid, { type: 'submit', fields });
    },
    subjects: (jid, text) => client.setSubject(jid, text),
    whisper: (jid, nick, text) => client.sendMessage({ to: `${jid}/${nick}`, type: 'chat', body: text, muc: { type: 'info' } }),
    invite: (jid, whom) => client.invite(jid, { to: whom, reason: 'enough' }),
    kick: async (jid, nick) => void await client.kick(jid, nick, 'enough'),
    ban: async (jid, _nick, whom) => void await client.ban(jid, whom, 'enough'),
    isIn: (jid) => client.joinedRooms.has(jid) && room(jid).people.size > 0,
    last: () => seen.slice(-12),
});
