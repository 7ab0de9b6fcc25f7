// swift-tools-version: 6.2

import PackageDescription

// Settings of every Swift target: the language mode of today, strict memory safety, no warnings.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// A Swift target of `Sources`, with the house's settings.
func module(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    extra: [SwiftSetting] = [],
    resources: [Resource] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        resources: resources,
        swiftSettings: settings + extra
    )
}

/// A C library of Debian's behind a module map and, where Swift cannot import it, a shim.
func library(_ name: String, links: [String] = []) -> Target {
    .target(
        name: name,
        path: "Sources/CLibraries/\(name)",
        linkerSettings: links.map { .linkedLibrary($0) }
    )
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies + ["TestSupport"],
        path: "Tests/\(name)",
        exclude: exclude,
        swiftSettings: settings
    )
}

// Who may import whom is the table of Sources/README.md; TidyTests hold the imports to it.
let package = Package(
    name: "lychgate",
    targets: [
        .executableTarget(
            name: "lychgate",
            dependencies: ["Proxy", "Settings", "YAML", "Linux", "Instances", "Sessions"],
            swiftSettings: settings
        ),

        // Shell
        module(
            "Proxy",
            [
                "EventLoop", "Linux", "TLS", "JSON", "HealthClient", "Exchange", "Sessions",
                "Instances", "Pool", "HTTP1", "HTTPModel", "Settings", "Memory", "Time",
            ]
        ),
        module("EventLoop", ["Linux", "Memory", "Time"]),

        // Adapters
        module("Linux", ["CLinux", "Memory", "Time"]),
        module("TLS", ["COpenSSL", "Memory"]),
        module("HealthClient", ["CCurl", "Time"]),
        module("YAML", ["CYAML", "Settings"]),
        module("JSON", ["CJansson"]),

        // Core
        module(
            "Exchange",
            ["Sessions", "Instances", "HTTPModel", "Settings", "Memory", "Time"],
            resources: [.embedInCode("Browser/guard.js")]
        ),
        module("Sessions", ["Instances", "HTTPModel", "Settings", "Memory", "Time"]),
        module("Instances", ["Settings", "Memory", "Time"]),
        module("Pool", ["Instances", "Time"]),
        module("HTTP1", ["HTTPModel", "Memory"]),
        module("HTTPModel", ["Memory"]),
        module("Settings"),

        // Ground: owned memory and points in time, with nothing of HTTP or Linux in them
        module("Memory", ["CMemory"], extra: [.enableExperimentalFeature("Lifetimes")]),
        module("Time"),

        // C
        library("CMemory"),
        library("CLinux"),
        library("COpenSSL", links: ["ssl", "crypto"]),
        library("CCurl", links: ["curl"]),
        library("CYAML", links: ["yaml"]),
        library("CJansson", links: ["jansson"]),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["Memory", "TLS", "Time"],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        tests("TidyTests", []),
        tests("MemoryTests", ["Memory", "Time"]),
        tests("HTTPModelTests", ["HTTPModel", "Memory"]),
        tests(
            "HTTP1Tests",
            ["HTTP1", "HTTPModel", "Memory"],
            exclude: ["differential.py", "oracle.py"]
        ),
        tests("SettingsTests", ["Settings", "YAML"]),
        tests(
            "SessionsTests",
            ["Sessions", "Instances", "HTTPModel", "HTTP1", "Settings", "Memory", "Time"]
        ),
        tests("InstancesTests", ["Instances", "Settings", "Time"]),
        tests("PoolTests", ["Pool", "Instances", "Time"]),
        tests(
            "ExchangeTests",
            [
                "Exchange", "Sessions", "Instances", "HTTPModel", "HTTP1", "Settings", "Memory",
                "Time",
            ]
        ),
        tests(
            "AdapterTests",
            [
                "Linux", "TLS", "JSON", "HealthClient", "Proxy", "Instances", "Settings", "Memory",
                "Time",
            ]
        ),
        tests("EventLoopTests", ["EventLoop", "Linux", "Memory", "Time"]),
        tests("EndToEnd", [], exclude: ["Backends", "Clients"]),
        tests(
            "Fuzz",
            [
                "Proxy", "EventLoop", "Linux", "Sessions", "Instances", "Pool", "HTTP1",
                "HTTPModel", "Settings", "Memory", "Time",
            ],
            exclude: [
                "ConnectionTarget.swift", "ParserTargets.swift", "http.dict", "run.sh",
                "seeds-connection.txt", "seeds-content.txt", "seeds-frames.txt",
                "seeds-metric.txt",
                "seeds-request.txt", "seeds-response.txt",
            ]
        ),
    ]
)
