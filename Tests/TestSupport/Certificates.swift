/// Certificates that the `openssl` command makes, in a directory of a test's own.
///
/// Everything is vouched for by `ca.pem`; `NAME.pem` is a certificate, `NAME.key` its key and
/// `NAME.both` the two in one file.
public struct Certificates: Sendable {
    /// The kinds of keys.
    public enum Kind: Sendable {
        case ecdsa
        case rsa

        fileprivate var options: [String] {
            switch self {
            case .ecdsa: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            case .rsa: ["-newkey", "rsa:2048"]
            }
        }
    }

    private let directory: String

    /// Makes the authority, in this directory.
    public init(in directory: String) throws {
        self.directory = directory
        try run(
            ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=Test CA"]
                + Kind.ecdsa.options + ["-keyout", path("ca.key"), "-out", path("ca.pem")]
        )
    }

    /// The path of a file.
    public func path(_ file: String) -> String { directory + "/" + file }

    /// Makes a certificate for these names (`DNS:a.test,IP:127.0.0.1`), with the name as the
    /// subject's common name; one that is over a day ago if it `isExpired`.
    public func make(
        _ name: String,
        for names: String,
        _ kind: Kind = .ecdsa,
        isExpired: Bool = false
    ) throws {
        let (key, request) = (path(name + ".key"), path(name + ".csr"))
        try run(
            ["req", "-nodes", "-subj", "/O=Tests/CN=\(name)"] + kind.options
                + ["-keyout", key, "-out", request]
        )
        let extensions = path(name + ".ext")
        try Place.write("subjectAltName=\(names)\n", to: extensions)
        let times =
            isExpired
            ? ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"] : ["-days", "30"]
        try Place.write("", to: path("index"))
        try Place.write("unique_subject = no\n", to: path("index.attr"))
        try Place.write(Self.authority(directory), to: path("ca.conf"))
        try run(
            ["ca", "-batch", "-notext", "-config", path("ca.conf")]
                + ["-in", request, "-out", path(name + ".pem"), "-extfile", extensions] + times
        )
        try Place.write(
            Place.text(path(name + ".pem")) + Place.text(key),
            to: path(name + ".both")
        )
    }

    /// Runs the command with these arguments.
    public func run(_ arguments: [String]) throws {
        let process = try ChildProcess("/usr/bin/openssl", arguments)
        guard process.waitForExit() == .code(0) else {
            throw HTTPFailure.malformed("openssl: " + process.errors)
        }
    }

    private static func authority(_ directory: String) -> String {
        """
        [ca]
        default_ca = own
        [own]
        database = \(directory)/index
        new_certs_dir = \(directory)
        certificate = \(directory)/ca.pem
        private_key = \(directory)/ca.key
        default_md = sha256
        rand_serial = yes
        policy = any
        [any]
        organizationName = optional
        commonName = supplied
        """
    }
}
