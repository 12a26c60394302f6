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
const CLICK_MS_MAX = 15000;

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

/** Shows a room. */
async function look(jid) {
    await page.evaluate((jid) => inside.api.rooms.open(jid, {}, true), jid);
    await box(jid).waitFor({ timeout: CLICK_MS_MAX });
    return box(jid);
}

/** Types a line into a room, and enters it. */
async function type(jid, text) {
    const field = (await look(jid)).locator('textarea.chat-textarea');
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
        await box(jid).locator('textarea.chat-textarea').waitFor();
    },
    async picture(file) {
        await page.screenshot({ path: file });
    },
    evaluate: (text) => page.evaluate(text),
    last: () => seen.slice(-12),
    seen: () => seen,
});
