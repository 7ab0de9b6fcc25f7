#!/usr/bin/env python3
"""CPU time a request, latency and memory of Lychgate beside nginx, HAProxy and Envoy.

All proxies stand in front of one backend on this machine and are loaded in turn, several rounds
with the order turned each time; medians are printed. CPU time is what /proc says that the
proxy's processes used, divided by the requests that wrk counted, so that it depends little on
what else the machine does. `--strace` counts system calls instead (see syscalls.py).
"""

import argparse
import datetime
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import time
import typing

import chart
import syscalls
from stand import FIELDS, HERE, Failure, Stand, envoy, jar_cookie

MIB = 1 << 20
COOKIE = "the jar cookie"


class Case(typing.NamedTuple):
    """What one run of wrk asks for."""

    title: str
    path: str
    method: str = "GET"
    content_bytes: int = 0
    field: str = ""
    # Bodies flow over fewer connections, or the sockets' buffers outgrow the processor's caches.
    connections: int = 64
    # So many fields of the request besides those that every request has.
    fields: int = 0


CASES = {
    "small": Case("Small answer, no session", "/"),
    "session": Case("Small answer, jar cookie", "/", field=COOKIE),
    "connect": Case("Small answer, a new connection each", "/", field="Connection: close"),
    "download": Case("1 MiB down", "/download", connections=16),
    "upload": Case("1 MiB up", "/upload", "POST", MIB, connections=16),
    "stream": Case("Stream of 50 small chunks, one each 2 ms", "/stream", connections=16),
    "fields": Case(f"{FIELDS} fields each way", "/fields", fields=FIELDS),
}
IDLE_COUNTS = [1000, 4000]


def load(proxy, name, cookie, seconds):
    """One run of wrk: what it counted, and the CPU time that the proxy used meanwhile."""
    case = CASES[name]
    command = ["wrk", "-t", "1", "-c", str(case.connections), "-d", f"{seconds}s"]
    command += ["-s", os.path.join(HERE, "wrk.lua"), "--timeout", "10s"]
    if case.field:
        command += ["-H", f"Cookie: {cookie}" if case.field == COOKIE else case.field]
    command += [f"http://127.0.0.1:{proxy.port}{case.path}"]
    command += ["--", case.method, str(case.content_bytes), str(case.fields)]
    user, system = proxy.cpu_us()
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    user_after, system_after = proxy.cpu_us()
    line = next((l for l in done.stdout.splitlines() if l.startswith("RESULT ")), None)
    if done.returncode != 0 or line is None:
        raise Failure(f"wrk failed on {proxy.name}: {done.stdout}{done.stderr}")
    requests, duration_us, p50_us, p99_us, errors = map(int, line.split()[1:])
    if requests == 0:
        raise Failure(f"{proxy.name} answered nothing in case {name}")
    return {
        "user_us": (user_after - user) / requests,
        "system_us": (system_after - system) / requests,
        "total_us": (user_after - user + system_after - system) / requests,
        "requests_per_s": requests / (duration_us / 1e6),
        "p50_us": p50_us,
        "p99_us": p99_us,
        "errors": errors,
    }


def measure_load(stand, names, options):
    """Medians by case and proxy, and what went wrong."""
    proxies = {name: stand.start(name) for name in names}
    runs = {case: {name: [] for name in names} for case in options.cases}
    cookies = {}
    for name, proxy in proxies.items():
        stand.check_download(proxy)
        cookies[name] = jar_cookie(proxy) if "session" in options.cases else None
    for round_number in range(options.rounds):
        turn = round_number % len(names)
        for case in options.cases:
            for name in names[turn:] + names[:turn]:
                target = proxies[name], case, cookies[name]
                if round_number == 0:
                    load(*target, 1)
                runs[case][name].append(load(*target, options.seconds))
        say(f"round {round_number + 1} of {options.rounds} done")
    for proxy in proxies.values():
        stand.stop(proxy)
    return {
        case: {name: summary(results) for name, results in by_name.items()}
        for case, by_name in runs.items()
    }


def summary(results):
    """The medians of some runs, and between what bounds the CPU time lay."""
    medians = {key: statistics.median(run[key] for run in results) for key in results[0]}
    medians["errors"] = sum(run["errors"] for run in results)
    medians["total_us_min"] = min(run["total_us"] for run in results)
    medians["total_us_max"] = max(run["total_us"] for run in results)
    return medians


def measure_memory(stand, name):
    """Memory at rest and with idle connections that have carried one request each."""
    proxy = stand.start(name)
    time.sleep(1)
    result = {"rest_bytes": proxy.rss_bytes(), "rest_pss_bytes": proxy.pss_bytes()}
    result |= {"first_answer_ms": proxy.first_answer_ms}
    if name == "lychgate":
        result["program_bytes"] = os.path.getsize(stand.lychgate)
    clients = []
    try:
        for count in IDLE_COUNTS:
            if count > stand.connections - 100:
                say(f"{name}: no descriptors for {count} idle connections, left out")
                continue
            while len(clients) < count:
                clients.append(idle_client(proxy.port))
            time.sleep(1)
            grown = proxy.rss_bytes() - result["rest_bytes"]
            result[f"idle_{count}_bytes"] = grown / count
        for client in clients:
            client.setblocking(False)
            if not is_open(client):
                raise Failure(f"{name} closed an idle connection")
    finally:
        for client in clients:
            client.close()
        stand.stop(proxy)
    return result


def idle_client(port):
    """A connection on which one request was answered."""
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while b"a small answer" not in answer:
        piece = client.recv(4096)
        if not piece:
            raise Failure("a connection was closed before its answer was complete")
        answer += piece
    return client


def is_open(client):
    """Whether the other side has kept the connection."""
    try:
        return client.recv(4096) != b""
    except BlockingIOError:
        return True


def machine():
    """What the numbers were measured on."""
    model = platform.processor() or "unknown processor"
    try:
        with open("/proc/cpuinfo") as file:
            lines = [line for line in file if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    except OSError:
        pass
    versions = []
    load_average = os.getloadavg()[0]
    for command in (["nginx", "-v"], ["haproxy", "-v"], envoy() + ["--version"], ["wrk", "-v"]):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError:
            continue
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        if lines:
            line = re.sub(r".*version: \w+/([\d.]+)/.*", r"Envoy \1", lines[0])
            versions.append(re.split(r" - | \[|-\d+\+", line)[0].strip())
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "kernel": platform.release(),
        "load_average": load_average,
        "versions": [v.removeprefix("nginx version: ") for v in versions],
    }


def report(results):
    """The tables, as Markdown."""
    lines = [f"# Benchmark of {results['date']}", ""]
    host = results["machine"]
    lines += [f"{host['processor']}; Linux {host['kernel']}; {', '.join(host['versions'])}.", ""]
    options = results["options"]
    lines += [
        f"{options['rounds']} rounds of {options['seconds']} s, medians; one worker or thread each."
        f" Load average before: {host['load_average']:.1f}.",
        "",
    ]
    for case, by_name in results["load"].items():
        title = f"{CASES[case].title} ({CASES[case].connections} connections)"
        lines += load_table(title, by_name)
    if results["memory"]:
        lines += memory_table(results["memory"])
    lines += [f"Left out: {reason}." for reason in results["missing"]]
    return "\n".join(lines).rstrip() + "\n"


def load_table(title, by_name):
    head = ["", "CPU µs a request", "min–max", "user", "system", "to nginx", "to TCP relay"]
    rows = [head + ["requests/s", "p50 µs", "p99 µs", "errors"]]
    for name, run in by_name.items():
        rows.append(
            [
                Stand.TITLES[name],
                f"{run['total_us']:.2f}",
                f"{run['total_us_min']:.2f}–{run['total_us_max']:.2f}",
                f"{run['user_us']:.2f}",
                f"{run['system_us']:.2f}",
                ratio(run, by_name.get("nginx")),
                ratio(run, by_name.get("tcp")),
                f"{run['requests_per_s']:.0f}",
                f"{run['p50_us']:.0f}",
                f"{run['p99_us']:.0f}",
                str(run["errors"]),
            ]
        )
    return table(title, rows)


def ratio(run, base):
    return f"{run['total_us'] / base['total_us']:.2f}" if base and base["total_us"] else "–"


def memory_table(by_name):
    head = ["", "at rest MiB", "of it its own share"]
    head += [f"KiB a connection, {count:,} idle" for count in IDLE_COUNTS]
    rows = [head + ["first answer after ms", "program MB"]]
    for name, memory in by_name.items():
        row = [Stand.TITLES[name], f"{memory['rest_bytes'] / MIB:.1f}"]
        row.append(f"{memory['rest_pss_bytes'] / MIB:.1f}")
        for count in IDLE_COUNTS:
            value = memory.get(f"idle_{count}_bytes")
            row.append("–" if value is None else f"{value / 1024:.2f}")
        row.append(f"{memory['first_answer_ms']:.0f}")
        size = memory.get("program_bytes")
        row.append("–" if size is None else f"{size / 1e6:.1f}")
        rows.append(row)
    return table("Memory (resident; shared pages count for each process)", rows)


def table(title, rows):
    lines = [f"## {title}", "", "| " + " | ".join(rows[0]) + " |"]
    lines.append("|---" + "|---:" * (len(rows[0]) - 1) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows[1:]]
    return lines + [""]


def say(text):
    print(text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = os.path.dirname(HERE)
    built = os.path.join(root, ".build", "release", "lychgate")
    parser.add_argument("--lychgate", default=built, metavar="PROGRAM")
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--only", nargs="+", choices=Stand.NAMES, default=Stand.NAMES)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--results", default=os.path.join(HERE, "results"), metavar="DIRECTORY")
    parser.add_argument(
        "--strace", nargs="?", const="lychgate", choices=Stand.NAMES, metavar="NAME",
        help="count the system calls of one proxy (default: lychgate) instead",
    )
    return parser.parse_args()


def main():
    options = arguments()
    with Stand(options.lychgate, IDLE_COUNTS[-1]) as stand:
        wanted = [options.strace] if options.strace else options.only
        reasons = {name: stand.missing(name) for name in wanted}
        names = [name for name in wanted if not reasons[name]]
        missing = [f"{Stand.TITLES[n]} ({why})" for n, why in reasons.items() if why]
        for reason in missing:
            say(f"left out: {reason}")
        if not names:
            return 1
        if options.strace:
            return syscalls.check(stand, names[0])
        results = {
            "date": datetime.date.today().isoformat(),
            "machine": machine(),
            "options": {k: getattr(options, k) for k in ("seconds", "rounds")},
            "missing": missing,
            "load": measure_load(stand, names, options),
            "memory": {},
        }
        if not options.no_memory:
            results["memory"] = {name: measure_memory(stand, name) for name in names}
    text = report(results)
    print(text)
    os.makedirs(options.results, exist_ok=True)
    path = os.path.join(options.results, results["date"])
    titles = {name: case.title for name, case in CASES.items()}
    drawn = chart.draw(results, titles, Stand.TITLES, path + ".png")
    with open(path + ".md", "w") as file:
        file.write(text)
    with open(path + ".json", "w") as file:
        json.dump(results, file, indent=2, sort_keys=True)
        file.write("\n")
    say(f"written to {path}.md, .json" + (" and .png" if drawn else "; no matplotlib, no chart"))
    failed = [
        f"{name}: {run['errors']} errors in case {case}"
        for case, by_name in results["load"].items()
        for name, run in by_name.items()
        if run["errors"]
    ]
    for failure in failed:
        say(failure)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        say(f"bench: {failure}")
        sys.exit(1)
