internal import HTTPModel
internal import Memory

/// How far a step of a parser came.
enum Scan {
    /// It is done, and the next step begins at this place.
    case reached(Int)
    /// All bytes that are there are in order, but more are needed.
    case incomplete
    /// A byte is wrong.
    case refused(RefusalCause)
}

// The scans that read eight bytes at a time. Each returns the first place that does not belong to
// the run, or `count`.
extension Span<UInt8> {
    /// Where a run of token bytes ends.
    @inline(__always)
    func endOfToken(from start: Int) -> Int {
        var place = start
        while let word = word(at: place) {
            let stops = WordClass.uncommonInNames(word)
            if stops == 0 {
                place &+= 8
                continue
            }
            place &+= stops.trailingZeroBitCount &>> 3
            if !ByteClass.isToken(self[place]) { return place }
            place &+= 1
        }
        while place < count, ByteClass.isToken(self[place]) {
            place &+= 1
        }
        return place
    }

    /// Where a run of field value bytes ends.
    @inline(__always)
    func endOfFieldValue(from start: Int) -> Int {
        var place = start
        while let words = twoWords(at: place) {
            let first = WordClass.controls(words.first)
            let second = WordClass.controls(words.second)
            if first | second == 0 {
                place &+= 16
                continue
            }
            place &+=
                first != 0
                ? first.trailingZeroBitCount &>> 3 : 8 &+ second.trailingZeroBitCount &>> 3
            if self[place] != 0x09 { return place }
            place &+= 1
        }
        while place < count, ByteClass.isFieldValue(self[place]) {
            place &+= 1
        }
        return place
    }

    /// Where a run of SP and HTAB ends.
    @inline(__always)
    func endOfBlanks(from start: Int) -> Int {
        var place = start
        while place < count, self[place] <= 0x20, ByteClass.isBlank(self[place]) {
            place &+= 1
        }
        return place
    }

    /// Where a run of target bytes ends, or where it comes to a "?".
    @inline(__always)
    func endOfTargetPart(from start: Int) -> Int {
        var place = start
        while let word = word(at: place) {
            let stops = WordClass.targetStops(word)
            if stops != 0 { return place &+ stops.trailingZeroBitCount &>> 3 }
            place &+= 8
        }
        while place < count, ByteClass.isTarget(self[place]), self[place] != 0x3F {
            place &+= 1
        }
        return place
    }

    /// Takes the CR LF at the end of a line, whose first byte is known to be there.
    ///
    /// `other` is what is wrong where neither CR nor LF stands there.
    @inline(__always)
    func endOfLine(at place: Int, else other: RefusalCause) -> Scan {
        guard self[place] == 0x0D else {
            return .refused(self[place] == 0x0A ? .bareLineFeed : other)
        }
        guard place &+ 1 < count else { return .incomplete }
        return self[place &+ 1] == 0x0A ? .reached(place &+ 2) : .refused(.bareCarriageReturn)
    }
}
