// A session through Lychgate with Node's fetch, checked at every step; see python_client.py.
//
//     fetch_client.mjs before|after BASE STATE
import { readFileSync, writeFileSync } from "node:fs";

const [phase, base, state] = process.argv.slice(2);
let cookie = phase === "after" ? readFileSync(state, "utf8") : "";

function check(what, found, wanted) {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        console.error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
        process.exit(1);
    }
}

// fetch keeps no cookies outside of a browser.
async function ask(target, options = {}) {
    const headers = { ...options.headers, ...(cookie && { Cookie: cookie }) };
    const answer = await fetch(base + target, { ...options, headers });
    for (const line of answer.headers.getSetCookie()) {
        if (!line.startsWith("lychgate=")) continue;
        cookie = line.includes("Max-Age=0") ? "" : line.split(";")[0];
    }
    return answer;
}

async function before() {
    check("log-in", (await ask("/api/connect", { method: "POST" })).status, 200);
    check("a jar cookie", cookie.startsWith("lychgate="), true);
    const data = new Uint8Array(300_000).fill(7);
    let answer = await ask("/echo", { method: "POST", body: data });
    check("upload", (await answer.json()).count, data.length);
    const stream = new Blob([data]).stream();
    answer = await ask("/echo", { method: "POST", body: stream, duplex: "half" });
    check("stream", (await answer.json()).count, data.length);
    for (const [target, count] of [["/bytes", 1_000_000], ["/chunked", 100_000]]) {
        answer = await ask(`${target}?n=${count}`);
        check(target, (await answer.arrayBuffer()).byteLength, count);
    }
    check("HEAD", (await ask("/bytes?n=10", { method: "HEAD" })).headers.get("content-length"), "10");
    check("204", (await ask("/204")).status, 204);
    check("work", (await (await ask("/api/work")).json()).valid, true);
    writeFileSync(state, cookie);
}

async function after() {
    const answer = await ask("/api/work");
    check("the one 401", answer.status, 401);
    check("why", answer.headers.get("x-session-cleared"), "backend-restart");
    check("reason", (await answer.json()).reason, "SESSION_NOT_FOUND");
    check("the cookie is gone", cookie, "");
    check("anonymous", (await (await ask("/api/work")).json()).reason, "NO_SESSION_ID");
    check("log-in", (await ask("/api/connect", { method: "POST" })).status, 200);
    check("work", (await ask("/api/work")).status, 200);
}

await (phase === "before" ? before() : after());
