import TestSupport
import Testing

extension EndToEnd {
    /// Contract 2.1: the backend-cookie carrier with a real servlet container.
    @Suite("Tomcat")
    struct TomcatSessions {
        private let configuration = """
            upstream: UPSTREAM
            identity: { path: "/page.jsp?health" }
            session:
              carrier: { cookie: JSESSIONID }
              exempt: [ POST /page.jsp, POST /shop/page.jsp ]
            """

        private func expiry(_ response: HTTPResponse) -> [String: String]? {
            let cookies = response.values("Set-Cookie").map { SetCookie($0) }
            return cookies.first { $0.name == "JSESSIONID" && $0.isExpired }?.attributes
        }

        @Test(
            "2.1 JSESSIONID: log-in, SIGKILL, one 401 that expires it, log-in; zero zombies",
            .enabled(if: Tomcat.isInstalled)
        )
        func restarts() throws {
            try onTomcat(configuration) { tomcat, client in
                let shop = client()
                let idle = client()
                for round in 0..<2 {
                    let login = try shop.post("/shop/page.jsp?login")
                    #expect(login.status == 200)
                    #expect(login.values("Set-Cookie").allSatisfy { !$0.contains("lychgate") })
                    let value = shop.cookies["JSESSIONID"] ?? ""
                    #expect(value.count == 32)
                    try idle.post("/shop/page.jsp?login")
                    #expect(try shop.get("/shop/page.jsp").string("user") == "ada")

                    // Two cookies of the name, as a browser has them for two applications.
                    let root = client()
                    try root.post("/page.jsp?login")
                    let other = root.cookies["JSESSIONID"] ?? ""
                    shop.cookies["JSESSIONID"] = "\(value); JSESSIONID=\(other)"
                    #expect(try shop.get("/shop/page.jsp").string("user") == "ada")
                    shop.cookies["JSESSIONID"] = value

                    tomcat.kill()
                    #expect(try shop.get("/shop/page.jsp").status == 503, "round \(round)")
                    try tomcat.start()
                    let answer = try shop.get("/shop/page.jsp")
                    #expect(isClean401(answer, cleared: "backend-restart"))
                    #expect(expiry(answer)?["path"] == "/shop")
                    #expect(shop.cookies["JSESSIONID"] == nil)
                    #expect(try shop.get("/shop/page.jsp").string("user") == "")
                    let rootAnswer = try root.get("/page.jsp")
                    #expect(isClean401(rootAnswer, cleared: "backend-restart"))
                    #expect(expiry(rootAnswer)?["path"] == "/")
                    // A log-in with the stale cookie goes on without it, at once.
                    #expect(try idle.post("/shop/page.jsp?login").status == 200)
                    #expect(try idle.get("/shop/page.jsp").string("user") == "ada")
                }
                #expect(tomcat.zombies == [])
                // It does tell: past Lychgate, a session that it does not know is written down.
                let direct = try HTTPConnection(to: tomcat.endpoint)
                _ = try direct.ask("GET", "/page.jsp?direct", ["Cookie: JSESSIONID=gone"])
                #expect(tomcat.zombies == ["direct gone"])
            }
        }

        @Test(
            "2.2 changeSessionId replaces the value; the old one is not forwarded again",
            .enabled(if: Tomcat.isInstalled)
        )
        func rotation() throws {
            try onTomcat(configuration) { tomcat, client in
                let one = client()
                try one.post("/shop/page.jsp?login")
                let old = one.cookies["JSESSIONID"] ?? ""
                try one.post("/shop/page.jsp?login")
                #expect(one.cookies["JSESSIONID"] != old)
                #expect(try one.get("/shop/page.jsp").string("user") == "ada")
                let late = try client().get("/shop/page.jsp", ["Cookie: JSESSIONID=\(old)"])
                #expect(isClean401(late, cleared: "expired"))
                #expect(tomcat.zombies == [])
            }
        }
    }
}
