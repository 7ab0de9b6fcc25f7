// guard.js without a browser: what it does to the storage, which events it dispatches.
//
//     guard_test.mjs GUARD, a copy of guard.js whose name ends in .mjs
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const guard = pathToFileURL(process.argv[2]).href;
const NOTHING = { restarted: false, cleared: false };
let imports = 0;

class Target extends EventTarget {
    counts = {};
    addEventListener(name, listener) {
        this.counts[name] = (this.counts[name] ?? 0) + 1;
        super.addEventListener(name, listener);
    }
    removeEventListener(name, listener) {
        this.counts[name] -= 1;
        super.removeEventListener(name, listener);
    }
    listeners() {
        return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
    }
}

class Source extends Target {
    static all = [];
    readyState = 1;
    constructor(url, options) {
        super();
        Object.assign(this, { url, options });
        Source.all.push(this);
    }
    close() {
        this.readyState = 2;
    }
    say(name, data) {
        this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
    }
}

// A page, with what the next questions are answered; the last answer stands.
async function page(stored, answers, { query = "", event = "snowflake-session-cleared" } = {}) {
    const values = new Map(Object.entries(stored));
    const world = { values, asked: [], cleared: [], logs: [], answers };
    Source.all = [];
    globalThis.window = new Target();
    globalThis.document = Object.assign(new Target(), { visibilityState: "visible" });
    globalThis.window.sessionStorage = {
        getItem: (key) => values.get(key) ?? null,
        setItem: (key, value) => values.set(key, value),
        removeItem: (key) => values.delete(key),
    };
    globalThis.window.EventSource = globalThis.EventSource = Source;
    globalThis.window.addEventListener(event, (it) => world.cleared.push(it.detail));
    window.counts = {};
    globalThis.fetch = async (url, options) => {
        world.asked.push({ url: String(url), options });
        const answer = world.answers.length > 1 ? world.answers.shift() : world.answers[0];
        if (answer instanceof Error) throw answer;
        const [status, content, reason] = answer;
        return new Response(typeof content === "string" ? content : JSON.stringify(content), {
            status,
            headers: reason ? { "X-Session-Cleared": reason } : {},
        });
    };
    for (const level of ["debug", "info", "warn"]) {
        console[level] = (...words) => world.logs.push([level, ...words]);
    }
    imports += 1;
    world.module = await import(`${guard}?page=${imports}${query}`);
    return world;
}

// Until everything that was asked for is answered.
async function settled(world) {
    while (true) {
        const count = world.asked.length;
        await new Promise((resolve) => setImmediate(resolve));
        await world.module.checkBackendRestart.call(null, {});
        world.asked.pop();
        if (world.asked.length === count) return;
    }
}

const valid = (id) => [200, { valid: true, instanceId: id }];
const stale = (reason = "backend-restart", instanceId) => [
    401,
    { valid: false, reason: "SESSION_NOT_FOUND", instanceId },
    reason,
];
const missing = (instanceId) => [401, { valid: false, reason: "NO_SESSION_ID", instanceId }];
const KEY = "MDLH_BACKEND_INSTANCE_ID";
const restart = [{ reason: "backend-restart" }];

const tests = {
    async "a first visit stores the ID and clears nothing"() {
        const world = await page({ snowflake_session: "s" }, [missing("A")]);
        assert.deepEqual(await world.module.checkBackendRestart(), NOTHING);
        assert.deepEqual([...world.values], [["snowflake_session", "s"], [KEY, "A"]]);
        assert.equal(world.asked[0].url, new URL("session", guard).href);
        assert.equal(world.asked[0].options.credentials, "include");
        assert.ok(world.logs.every(([, prefix]) => prefix === "[BackendGuard]"));
        assert.equal(world.logs[0][2], "First visit - storing backend instance ID");
    },
    async "a valid session is left alone whatever its instance"() {
        const world = await page({ [KEY]: "A", snowflake_session: "s" }, [valid("B")]);
        assert.deepEqual(await world.module.checkBackendRestart(), NOTHING);
        assert.deepEqual(world.cleared, []);
        assert.equal(world.values.get("snowflake_session"), "s");
        assert.equal(world.values.get(KEY), "B");
    },
    async "a stale session is cleared, once"() {
        const world = await page({ [KEY]: "A", snowflake_session: "s" }, [stale(), missing("B")]);
        const { checkBackendRestart } = world.module;
        assert.deepEqual(await checkBackendRestart(), { restarted: true, cleared: true });
        assert.deepEqual([...world.values], []);
        assert.deepEqual(await checkBackendRestart(), NOTHING);
        assert.deepEqual(world.cleared, restart);
        assert.equal(world.values.get(KEY), "B");
    },
    async "a status of the configuration's own is a stale session, too"() {
        const world = await page({ snowflake_session: "s" }, [[440, {}, "backend-restart"]]);
        await world.module.checkBackendRestart();
        assert.deepEqual(world.cleared, restart);
    },
    async "without a session of Lychgate's a new ID is a restart"() {
        const world = await page({ [KEY]: "A", snowflake_session: "s" }, [missing("B")]);
        const found = await world.module.checkBackendRestart();
        assert.deepEqual(found, { restarted: true, cleared: true });
        assert.deepEqual(world.cleared, restart);
        assert.deepEqual([...world.values], [[KEY, "B"]]);
    },
    async "a restart without any session is no loss"() {
        const world = await page({ [KEY]: "A" }, [missing("B")]);
        const found = await world.module.checkBackendRestart();
        assert.deepEqual(found, { restarted: true, cleared: false });
        assert.deepEqual(world.cleared, []);
    },
    async "several instances, and no session: nothing is concluded"() {
        const world = await page({ [KEY]: "A", snowflake_session: "s" }, [missing()]);
        assert.deepEqual(await world.module.checkBackendRestart(), NOTHING);
        assert.equal(world.values.get(KEY), "A");
    },
    async "a session that ended otherwise says so"() {
        const world = await page({ snowflake_session: "s" }, [stale("expired")]);
        const found = await world.module.checkBackendRestart();
        assert.deepEqual(found, { restarted: false, cleared: true });
        assert.deepEqual(world.cleared, [{ reason: "expired" }]);
    },
    async "what says nothing changes nothing"() {
        const answers = [[503, { valid: true }], [404, "no"], [200, "no JSON"], new Error("gone")];
        const world = await page({ [KEY]: "A", snowflake_session: "s" }, answers);
        for (let count = 0; count < 4; count += 1) {
            assert.deepEqual(await world.module.checkBackendRestart(), NOTHING);
        }
        assert.equal(world.values.size, 2);
    },
    async "a page may send the session that it keeps"() {
        const world = await page({ snowflake_session: "s" }, [valid("A")]);
        await world.module.checkBackendRestart({ headers: { "X-Session-ID": "s" } });
        assert.deepEqual(world.asked[0].options.headers, { "X-Session-ID": "s" });
    },
    async "names come with the import"() {
        const query = "&key=one&key=two&event=gone&instance=ID";
        const stored = { one: "1", two: "2", snowflake_session: "s", ID: "A" };
        const world = await page(stored, [missing("B")], { query, event: "gone" });
        await world.module.checkBackendRestart();
        assert.deepEqual(world.cleared, restart);
        assert.deepEqual([...world.values], [["snowflake_session", "s"], ["ID", "B"]]);
    },
    async "an open page learns by an event"() {
        const world = await page({ snowflake_session: "s" }, [valid("A")]);
        const stop = world.module.watchBackend();
        await settled(world);
        const [source] = Source.all;
        assert.equal(String(source.url), new URL("events", guard).href);
        assert.equal(source.options.withCredentials, true);
        // Another tab has taken the cookie's one 401.
        world.answers = [missing("B")];
        world.values.delete(KEY);
        source.say("session-cleared", { reason: "backend-restart" });
        await settled(world);
        assert.deepEqual(world.cleared, restart);
        stop();
        assert.equal(source.readyState, 2);
        assert.equal(window.listeners() + document.listeners(), 0);
    },
    async "an event of before the new log-in takes nothing away"() {
        const world = await page({ snowflake_session: "new", [KEY]: "A" }, [valid("B")]);
        const stop = world.module.watchBackend();
        Source.all[0].say("session-cleared", { reason: "backend-restart" });
        await settled(world);
        assert.deepEqual(world.cleared, []);
        assert.equal(world.values.get("snowflake_session"), "new");
        stop();
    },
    async "the backend is there again: the page asks"() {
        const world = await page({ snowflake_session: "s", [KEY]: "A" }, [missing("A")]);
        const stop = world.module.watchBackend();
        await settled(world);
        world.answers = [missing("B")];
        Source.all[0].say("backend-up", {});
        await settled(world);
        assert.deepEqual(world.cleared, restart);
        stop();
    },
    async "a hidden page gives its connection back"() {
        const world = await page({}, [missing("A")]);
        const stop = world.module.watchBackend();
        document.visibilityState = "hidden";
        document.dispatchEvent(new Event("visibilitychange"));
        assert.equal(Source.all[0].readyState, 2);
        const count = world.asked.length;
        document.visibilityState = "visible";
        document.dispatchEvent(new Event("visibilitychange"));
        await settled(world);
        assert.equal(Source.all.length, 2);
        assert.ok(world.asked.length > count);
        stop();
    },
    async "without events a page asks when it is looked at"() {
        const world = await page({}, [missing("A")]);
        window.EventSource = undefined;
        const stop = world.module.watchBackend();
        await settled(world);
        const count = world.asked.length;
        window.dispatchEvent(new Event("focus"));
        await settled(world);
        assert.equal(world.asked.length, count + 1);
        assert.equal(Source.all.length, 0);
        stop();
    },
    async "a stream that was refused is asked for again"() {
        const world = await page({}, [missing("A")]);
        const stop = world.module.watchBackend();
        window.dispatchEvent(new Event("focus"));
        assert.equal(Source.all.length, 1);
        Source.all[0].close();
        window.dispatchEvent(new Event("focus"));
        assert.equal(Source.all.length, 2);
        stop();
    },
    async "the hook watches as long as its component is there"() {
        const world = await page({}, [missing("A")]);
        let effect;
        let dependencies;
        const React = {
            useEffect(given, list) {
                effect = given;
                dependencies = list;
            },
        };
        world.module.default(React);
        assert.equal(world.module.default, world.module.useBackendInstanceGuard);
        assert.deepEqual(dependencies, []);
        const stop = effect();
        assert.equal(Source.all.length, 1);
        stop();
        assert.equal(Source.all[0].readyState, 2);
    },
    async "a log-in that is faster than the answer stays"() {
        const world = await page({ [KEY]: "A", snowflake_session: "s" }, [stale()]);
        world.answers = [stale(), missing("B")];
        const answer = globalThis.fetch;
        globalThis.fetch = (...asked) => {
            world.values.set("snowflake_session", "fresh");
            return answer(...asked);
        };
        assert.deepEqual(await world.module.checkBackendRestart(), NOTHING);
        // Nor is it the next answer that takes it away.
        assert.deepEqual(await world.module.checkBackendRestart(), NOTHING);
        assert.equal(world.values.get("snowflake_session"), "fresh");
        assert.deepEqual(world.cleared, []);
    },
    async "a page that was faster to clear its session is told all the same"() {
        const world = await page({ [KEY]: "A", snowflake_session: "s" }, [stale()]);
        const answer = globalThis.fetch;
        globalThis.fetch = (...asked) => {
            world.values.delete("snowflake_session");
            return answer(...asked);
        };
        assert.deepEqual(await world.module.checkBackendRestart(), { restarted: true, cleared: true });
        assert.deepEqual(world.cleared, restart);
    },
    async "a stream that was refused is asked for again by itself"() {
        const world = await page({}, [valid("A")]);
        const later = [];
        const { setTimeout } = globalThis;
        globalThis.setTimeout = (work) => later.push(work);
        const stop = world.module.watchBackend();
        const [source] = Source.all;
        source.onerror();
        assert.equal(later.length, 0, "it comes back by itself");
        source.readyState = 2;
        source.onerror();
        globalThis.setTimeout = setTimeout;
        later[0]();
        assert.equal(Source.all.length, 2);
        await settled(world);
        stop();
        later[0]();
        assert.equal(Source.all.length, 2);
    },
    async "a storage that is locked breaks nothing"() {
        const world = await page({}, [valid("A")]);
        Object.defineProperty(window, "sessionStorage", {
            get() {
                throw new Error("denied");
            },
        });
        assert.deepEqual(await world.module.checkBackendRestart(), NOTHING);
    },
};

const print = console.log;
for (const [name, test] of Object.entries(tests)) {
    try {
        await test();
    } catch (error) {
        console.error(`${name}: ${error.stack}`);
        process.exitCode = 1;
    }
}
print(`${Object.keys(tests).length} tests`);
