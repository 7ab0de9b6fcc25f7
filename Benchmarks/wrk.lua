-- Arguments after `--`: METHOD CONTENT_BYTES FIELDS. Prints one line that bench.py reads.
function init(arguments)
    wrk.method = arguments[1] or "GET"
    local bytes = tonumber(arguments[2] or "0")
    if bytes > 0 then
        wrk.headers["Content-Type"] = "application/octet-stream"
        wrk.body = string.rep("x", bytes)
    end
    for n = 1, tonumber(arguments[3] or "0") do
        wrk.headers["X-Field-" .. n] = "value-of-field-" .. n
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "RESULT %d %d %d %d %d\n",
        summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
