import TestSupport
import Testing

/// The real program between real clients and a real backend, one test after the other.
@Suite("End to end", .serialized)
enum EndToEnd {}

/// What most tests configure: both capture rules, an end, the log-in exempt.
let usual = """
    session:
      capture:
        - header: X-Session-ID
        - json: /sessionId
          on: POST /api/connect
      end:
        - on: POST /api/disconnect
      exempt: [ /health, POST /api/connect ]
    """

/// The backend's own cookie is the carrier.
let backendCookie = """
    session:
      carrier: { cookie: SID }
      end:
        - on: POST /api/disconnect
      exempt: [ /health, POST /api/connect ]
    """

/// The content of the one clean 401, to the letter.
let sessionNotFound =
    #"{"valid":false,"reason":"SESSION_NOT_FOUND","#
    + #""message":"Session not found - please reconnect"}"#

/// The jar cookie that an answer sets or expires.
func jarCookie(_ response: HTTPResponse) -> SetCookie? {
    response.values("Set-Cookie").map { SetCookie($0) }.first { $0.name == "lychgate" }
}

/// Whether this is the clean 401 of table 4.1, with everything that belongs to it.
func isClean401(_ response: HTTPResponse, cleared: String) -> Bool {
    response.status == 401 && response.text == sessionNotFound
        && response["X-Session-Cleared"] == cleared
        && response["Content-Type"] == "application/json"
        && response["Cache-Control"] == "no-store"
        && response["Content-Length"] == String(sessionNotFound.utf8.count)
        && response["WWW-Authenticate"] == #"Session realm="lychgate""#
}

/// Asks again and again until the answer is as wanted or five seconds are over.
func eventually(
    _ client: Client,
    _ target: String,
    _ isWanted: (HTTPResponse) -> Bool
) throws -> HTTPResponse {
    let start = ContinuousClock.now
    while true {
        let response = try client.get(target)
        if isWanted(response) || ContinuousClock.now - start > .seconds(5) {
            return response
        }
    }
}
