/// A point on the wall clock, in the calendar that log lines and fields use.
struct UTCTime {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    /// From the day of 1970-01-01 on.
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// Milliseconds since 1970-01-01 00:00 UTC.
    let milliseconds: Int64

    private var second: Int64 { milliseconds / 1000 }

    /// As RFC 3339 writes it, with milliseconds.
    var text: String { "\(secondText).\(Self.pad(milliseconds % 1000, width: 3))Z" }

    /// As RFC 3339 writes it, up to the second and without the zone.
    var secondText: String {
        let (year, month, day) = Self.civil(second / 86_400)
        return "\(year)-\(Self.pad(month))-\(Self.pad(day))T\(Self.clockText(second))"
    }

    /// As the field `Date` has it (RFC 9110 §5.6.7).
    var dateFieldText: String {
        let days = second / 86_400
        let (year, month, day) = Self.civil(days)
        return "\(Self.weekdays[Int(days % 7)]), \(Self.pad(day)) \(Self.months[Int(month - 1)]) "
            + "\(year) \(Self.clockText(second)) GMT"
    }

    /// In the time of a place that is ahead of UTC, as access logs write it:
    /// `31/Dec/2026:23:59:59 +0100`.
    func localText(secondsEast: Int64) -> String {
        let local = second + secondsEast
        let (year, month, day) = Self.civil(local / 86_400)
        let minutes = abs(secondsEast) / 60
        return "\(Self.pad(day))/\(Self.months[Int(month - 1)])/\(year):\(Self.clockText(local)) "
            + (secondsEast < 0 ? "-" : "+")
            + Self.pad(minutes / 60) + Self.pad(minutes % 60)
    }

    private static func clockText(_ second: Int64) -> String {
        "\(pad(second / 3600 % 24)):\(pad(second / 60 % 60)):\(pad(second % 60))"
    }

    /// Days since 1970 as a date of the proleptic Gregorian calendar, counted in eras of 400
    /// years that begin on 1 March, so that the leap day is the last of its year.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func pad(_ number: Int64, width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
