// The application of workers.py on Node: server.js PORT
"use strict";
const fs = require("fs");
const http = require("http");
const crypto = require("crypto");

const instance = crypto.randomBytes(8).toString("hex") + "-" + process.pid;
const issued = new Set();
const record = fs.openSync(process.env.LYCHGATE_RECORD, "a");

http.createServer((request, response) => {
    const path = request.url.split("?")[0];
    const session = request.headers["x-session-id"];
    let kind = "anonymous";
    if (path === "/health") kind = "health";
    else if (session !== undefined) kind = issued.has(session) ? "session" : "zombie";
    fs.writeSync(record, `${kind} ${instance} ${request.method} ${path} ${session || "-"}\n`);
    let status = 200;
    const answer = { instance, pid: process.pid };
    if (path === "/health") answer.serverInstanceId = instance;
    else if (path === "/api/connect") {
        answer.sessionId = "s-" + crypto.randomBytes(12).toString("hex") + "-" + instance;
        issued.add(answer.sessionId);
        response.setHeader("X-Session-ID", answer.sessionId);
    } else if (kind === "zombie") {
        status = 401;
        answer.reason = "SESSION_NOT_FOUND";
    }
    request.resume();
    request.on("end", () => {
        response.writeHead(status, { "Content-Type": "application/json" });
        response.end(JSON.stringify(answer));
    });
}).listen(Number(process.argv[2]), "127.0.0.1");
