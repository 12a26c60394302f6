// What the two programs of this folder share: wishes come in as lines of JSON, and so do the answers go out.

const readline = require('readline');

/**
 * Fulfils wishes of the script that started this program, one after the other.
 *
 * A line is `{"do": name, "with": [arguments]}`; the answer is `{"value": …}`, or `{"error": text}`.
 * @param {Object<string, Function>} wishes what may be wished for
 */
module.exports = (wishes) => {
    let last = Promise.resolve();
    const lines = readline.createInterface({ input: process.stdin });
    lines.on('close', () => process.exit(0));
    lines.on('line', (line) => {
        const wish = JSON.parse(line);
        last = last.then(async () => {
            let answer;
            try {
                answer = { value: (await wishes[wish.do](...wish.with)) ?? null };
            } catch (error) {
                answer = { error: error?.stack ?? JSON.stringify(error) };
            }
            process.stdout.write(JSON.stringify(answer) + '\n');
        });
    });
};
