/// Adds members to the object that a JSON text is, and leaves every other byte alone.
public enum JSONExtending {
    /// The text with those members at the end of its object that it lacks; nil if it lacks none of
    /// them, or is no object.
    ///
    /// A member that is there stays, whatever it holds, `null` too: two of one name would mean
    /// something else to each reader. Only the outermost object counts. `value` is JSON.
    public static func add(
        _ members: [(name: String, value: String)],
        to text: [UInt8]
    ) throws(JSONError) -> [UInt8]? {
        let document = try JSONDocument(text)
        guard document.isObject else { return nil }
        let missing = members.filter { !document.hasMember(Array($0.name.utf8)) }
        guard !missing.isEmpty, let brace = text.lastIndex(of: UInt8(ascii: "}")) else {
            return nil
        }
        var end = brace
        while end > 0, isSpace(text[end - 1]) { end -= 1 }
        let isEmpty = end > 0 && text[end - 1] == UInt8(ascii: "{")
        var added = isEmpty ? "" : ","
        added += missing.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",")
        return text[..<end] + Array(added.utf8) + text[end...]
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
