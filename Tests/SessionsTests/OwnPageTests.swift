import HTTPModel
import Instances
import Sessions
import Settings
import Testing

/// A world with a session, and the field line of its cookie.
private func world(
    pages: StaleSettings.Pages = .pass,
    origins: [String] = [],
    _ change: (inout SessionSettings) -> Void = { _ in }
) -> (World, String) {
    var world = World(pages: pages, origins: origins, change)
    let cookie = world.capture("s")
    return (world, "Cookie: lychgate=\(cookie)")
}

@Suite("5 which requests are for Lychgate's own pages")
struct OwnPageTests {
    @Test(
        "5 the pages by their paths",
        arguments: [
            ("/.lychgate/session", OwnPage.session), ("/.lychgate/session?x=1", .session),
            ("/.lychgate/events", .events), ("/.lychgate/guard.js?key=a", .guardModule),
            ("/.lychgate/", OwnPage.none), ("/.lychgate/Session", OwnPage.none),
            ("/.lychgate/session/", OwnPage.none), ("/.lychgate/sessio", OwnPage.none),
        ]
    )
    func paths(path: String, page: OwnPage) {
        #expect(World().get(path: path).ownPage == page)
    }

    @Test("5 what is not below the prefix is the backend's", arguments: ["/", "/.lychgate", "/a"])
    func others(path: String) {
        #expect(World().get(path: path).ownPage == nil)
    }

    @Test("5 the prefix and the status path are chosen, or switched off")
    func chosen() {
        let own = World {
            $0.endpoints = "/x/y/"
            $0.statusPath = "/api/session/status"
        }
        #expect(own.get(path: "/x/y/events").ownPage == .events)
        #expect(own.get(path: "/.lychgate/events").ownPage == nil)
        #expect(own.get(path: "/api/session/status").ownPage == .status)
        #expect(own.get(path: "/api/session/status2").ownPage == nil)
        let off = World { $0.endpoints = nil }
        #expect(off.get(path: "/.lychgate/session").ownPage == nil)
    }

    @Test("5 a session that lives, by either carrier, and none")
    func live() {
        let (world, cookie) = world()
        let path = "/.lychgate/session"
        #expect(name(world.get(cookie, path: path)) == "live 1 cookie s")
        #expect(name(world.get("X-Session-ID: s", path: path)) == "live 1 header")
        #expect(name(world.get("X-Session-ID: other", path: path)) == "unknownID")
        #expect(name(world.get(path: path)) == "anonymous")
    }

    @Test("5 a stale session gets the clean 401 there, although a browser navigates")
    func stale() {
        var (world, cookie) = world()
        world.restart()
        let path = "/.lychgate/session"
        #expect(
            name(world.get(cookie, "Accept: text/html", path: path)) == "backend-restart expires"
        )
        #expect(name(world.get(cookie, path: path)) == "backend-restart")
    }

    @Test("5 session.exempt, session.required and stale.pages do not apply")
    func rules() {
        var (world, cookie) = world(pages: .redirect(to: "/login")) {
            $0.required = [pattern("/*")]
            $0.exempt = [pattern("/.lychgate/*")]
        }
        #expect(name(world.get(path: "/.lychgate/guard.js")) == "anonymous")
        #expect(name(world.get(path: "/.lychgate/session")) == "anonymous")
        world.restart()
        let page = world.get(cookie, "Accept: text/html", path: "/.lychgate/session")
        #expect(name(page) == "backend-restart expires")
    }

    @Test("5 a subscriber learns that its session is stale, and the one 401 is still to come")
    func events() {
        var (world, cookie) = world()
        world.restart()
        #expect(name(world.get(cookie, path: "/.lychgate/events")) == "backend-restart")
        #expect(name(world.get("Cookie: lychgate=x", path: "/.lychgate/events")) == "unknown")
        #expect(name(world.get(cookie)) == "backend-restart expires")
        #expect(name(world.get("Cookie: lychgate=x")) == "unknown expires")
    }

    @Test("5 the same with the backend's own cookie")
    func backendCookie() {
        var world = World { $0.carrierCookie = "SID" }
        let login = world.get()
        world.settle("HTTP/1.1 200 OK\nSet-Cookie: SID=a; Path=/", to: login)
        let cookie = "Cookie: SID=a"
        #expect(name(world.get(cookie, path: "/.lychgate/session")) == "live 1 backendCookie")
        world.restart()
        #expect(name(world.get(cookie, path: "/.lychgate/events")) == "backend-restart")
        let answer = name(world.get(cookie, path: "/.lychgate/session"))
        #expect(answer == "backend-restart expires 1")
    }

    @Test("5 other pages and methods look at no session: nothing is claimed by them")
    func untouched() {
        var (world, cookie) = world()
        world.restart()
        for path in ["/.lychgate/guard.js", "/.lychgate/x"] {
            #expect(name(world.get(cookie, path: path)) == "anonymous")
        }
        let post = "POST /.lychgate/session HTTP/1.1\nHost: a\n\(cookie)"
        #expect(name(world.judge(post)) == "anonymous")
        #expect(name(world.get(cookie)) == "backend-restart expires")
    }

    @Test(
        "2.5 5 another site learns nothing of a session, with it or without",
        arguments: [OwnPage.session, .events]
    )
    func crossSite(page: OwnPage) {
        let (world, cookie) = world(origins: ["https://b"])
        let path = page == .session ? "/.lychgate/session" : "/.lychgate/events"
        for fields in [[cookie], []] {
            let text = (["GET \(path) HTTP/1.1", "Host: a"] + fields).joined(separator: "\n")
            #expect(name(world.judge(text + "\nSec-Fetch-Site: cross-site")) == "crossSite")
            #expect(name(world.judge(text + "\nOrigin: https://c")) == "crossSite")
            #expect(name(world.judge(text + "\nOrigin: https://b")) != "crossSite")
            #expect(name(world.judge(text + "\nSec-Fetch-Site: same-origin")) != "crossSite")
        }
        let delete = "DELETE /.lychgate/session HTTP/1.1\nHost: a\n\(cookie)\nOrigin: https://c"
        #expect(name(world.judge(delete)) == "crossSite")
        let (open, held) = OwnPageTests.openWorld()
        #expect(name(open.get(held, "Origin: https://c", path: path)) == "live 1 cookie s")
    }

    private static func openWorld() -> (World, String) { world { $0.crossSite = .allow } }

    @Test("5 DELETE forgets: a tombstone, and the cookie is expired once")
    func forget() {
        let (world, cookie) = world()
        let request = world.judge("DELETE /.lychgate/session HTTP/1.1\nHost: a\n\(cookie)")
        #expect(world.jar.forget(request, now: world.now).expiresCookie)
        #expect(name(world.get(cookie)) == "expired")
        #expect(name(world.get("X-Session-ID: s")) == "expired")
        let anonymous = world.judge("DELETE /.lychgate/session HTTP/1.1\nHost: a")
        #expect(!world.jar.forget(anonymous, now: world.now).expiresCookie)
    }

    @Test("5 which methods a page serves")
    func methods() {
        for page in OwnPage.allCases {
            let allowed = page.methods.description.split(separator: ", ")
            #expect(page.serves(.get) == allowed.contains("GET"))
            #expect(page.serves(.head) == allowed.contains("HEAD"))
            #expect(page.serves(.delete) == allowed.contains("DELETE"))
            #expect(!page.serves(.post) && !page.serves(.options) && !page.serves(.other))
        }
    }
}
