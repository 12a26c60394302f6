// Converse in Chromium without a window. It is clicked and typed to as a person would; what it shows is read off the page.

const fs = require('fs');
const http = require('http');
const path = require('path');
const fulfil = require('./wishes.cjs');
const { chromium } = require('playwright-core');

const DIST = path.join(process.env.NODE_PATH, 'converse.js', 'dist');
const KINDS = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm',
    '.svg': 'image/svg+xml' };
const CHROMIUM = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
const CLICK_MS_MAX = 30000;

let browser;
let page;
const seen = [];

/** Serves the page and Converse itself on a free loopback port; the address. */
function serve(settings) {
    const html = `<!doctype html><meta charset=utf-8><link rel=stylesheet href=/converse.min.css>
        <script type=module src=/converse.min.js></script><body class=converse-fullscreen><div id=conversejs-bg></div><script type=module>
        converse.plugins.add('probe', { initialize() { window.inside = this._converse; } });
        converse.initialize(${JSON.stringify(settings)});</script>`;
    const server = http.createServer((request, response) => {
        const name = decodeURIComponent(new URL(request.url, 'http://x').pathname);
        const file = path.join(DIST, name);
        if (name === '/') return response.setHeader('content-type', 'text/html').end(html);
        if (!fs.existsSync(file) || !fs.statSync(file).isFile()) return response.writeHead(404).end();
        response.setHeader('content-type', KINDS[path.extname(file)] ?? 'application/octet-stream');
        fs.createReadStream(file).pipe(response);
    });
    return new Promise((resolve) =>
        server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}/`)));
}

const box = (jid) => page.locator(`converse-muc[jid="${jid}"]`);

/** Shows a room, by the list of rooms at the left, with its people at the right. */
async function look(jid) {
    if (!(await box(jid).count())) await page.locator(`a.open-room[data-room-jid="${jid}"]`).click();
    await box(jid).locator('converse-muc-bottom-panel textarea').waitFor();
    await page.evaluate(async (jid) => (await inside.api.rooms.get(jid)).save({ sidebar_view: 'occupants' }), jid);
    return box(jid);
}

/** Whether it takes itself for somebody in the room; this one runs in the page. */
const isIn = (jid) => inside.api.rooms.get(jid).then((room) => room?.session.get('connection_status') === 5);

/** Types a line into a room, and enters it. */
async function type(jid, text) {
    const field = (await look(jid)).locator('converse-muc-bottom-panel textarea');
    await field.fill(text);
    await field.press('Enter');
}

fulfil({
    async start(jid, password, websocket) {
        const address = await serve({ jid, password, authentication: 'login', auto_login: true, auto_reconnect: true,
            websocket_url: websocket, discover_connection_methods: false, assets_path: '/', view_mode: 'fullscreen',
            i18n: 'en', whitelisted_plugins: ['probe'], muc_domain: 'mix.localhost', allow_non_roster_messaging: true,
            show_desktop_notifications: false, play_sounds: false });
        browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM });
        page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
        page.setDefaultTimeout(CLICK_MS_MAX);
        page.on('console', (message) => seen.push(`console ${message.text()}`));
        page.on('pageerror', (error) => seen.push(`error ${error.stack}`));
        page.on('websocket', (socket) => {
            socket.on('framesent', ({ payload }) => seen.push(`sent ${payload}`));
            socket.on('framereceived', ({ payload }) => seen.push(`got ${payload}`));
        });
        await page.goto(address);
        await page.waitForFunction(() => window.inside?.api.connection.connected(), null, { timeout: CLICK_MS_MAX });
    },
    async enter(jid, nick) {
        await page.evaluate(([jid, nick]) => inside.api.rooms.open(jid, { nick }, true), [jid, nick]);
        await page.waitForFunction(isIn, jid);
    },
    lines: async (jid) => (await look(jid)).locator('converse-chat-message').evaluateAll((messages) =>
        messages.map((it) => [it.querySelector('.chat-msg__author'), it.querySelector('.chat-msg__text') ?? it]
            .map((part) => part?.innerText.trim() ?? '').join(': '))),
    people: async (jid) => (await look(jid)).locator('.occupant-nick-name, .occupant-nick').allInnerTexts(),
    subject: async (jid) => (await look(jid)).locator('.chat-head__desc').innerText(),
    say: type,
    async correct(jid, old, text) {
        const field = (await look(jid)).locator('converse-muc-bottom-panel textarea');
        await field.press('ArrowUp');
        await field.fill(text);
        await field.press('Enter');
    },
    async retract(jid, old) {
        const message = (await look(jid)).locator('converse-chat-message', { hasText: old });
        await message.hover();
        await message.locator('.dropdown-toggle').first().click();
        await message.locator('.chat-msg__action-retract').click();
        await page.locator('.modal.show button.btn-primary').click();
    },
    nick: (jid, nick) => type(jid, `/nick ${nick}`),
    async create(jid, nick) {
        await page.evaluate(([jid, nick]) => inside.api.rooms.open(jid, { nick }, true), [jid, nick]);
        await page.waitForFunction(isIn, jid);
    },
    async configure(jid, name) {
        const heading = (await look(jid)).locator('converse-muc-heading');
        await heading.locator('.dropdown-toggle').click();
        await heading.locator('.configure-chatroom-button').click();
        const form = page.locator('form.chatroom-form');
        await form.locator('input[name="muc#roomconfig_roomname"]').fill(name);
        await form.locator('input[type=submit]').click();
    },
    subjects: (jid, text) => type(jid, `/topic ${text}`),
    async whisper(jid, nick, text) {
        await (await look(jid)).locator('li.occupant', { hasText: nick }).locator('.occupant-nick').click();
        const field = page.locator('converse-muc-occupant textarea');
        await field.fill(text);
        await field.press('Enter');
    },
    whispers: () => page.locator('converse-muc-occupant .chat-msg__text').allInnerTexts(),
    invite: (jid, whom) => page.evaluate(([jid, whom]) =>
        inside.api.rooms.get(jid).then((room) => room.directInvite(whom, 'enough')), [jid, whom]),
    kick: (jid, nick) => type(jid, `/kick ${nick} enough`),
    ban: (jid, nick) => type(jid, `/ban ${nick} enough`),
    again: (jid) => page.evaluate((jid) => inside.api.rooms.get(jid).then((room) => room.rejoin()), jid),
    isIn: (jid) => page.evaluate(isIn, jid),
    async picture(file) {
        await page.screenshot({ path: file });
    },
    evaluate: (text) => page.evaluate(text),
    last: () => seen.slice(-12),
    seen: () => seen,
});
