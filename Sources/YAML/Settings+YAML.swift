public import Settings

extension Settings {
    /// The settings that the bytes of a file and the command line give together.
    ///
    /// Nil for no file. `environment` tells the value of a variable, or nil if it is not set.
    public static func load(
        yaml bytes: [UInt8]?,
        environment: @escaping (String) -> String?,
        overrides: Overrides = Overrides()
    ) -> Result<Settings, Problems> {
        let document = bytes.map { YAMLReader.read($0) }
        return load(document, environment: environment, overrides: overrides)
    }
}
