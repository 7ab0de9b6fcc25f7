/// A point on the wall clock, in the calendar that log lines and fields use.
struct UTCTime {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    let milliseconds: Int64

    /// As RFC 3339 writes it, with milliseconds.
    var text: String {
        let days = (milliseconds / 86_400_000, milliseconds % 86_400_000)
        let (year, month, day) = Self.civil(days.0)
        let second = days.1 / 1000
        return "\(year)-\(Self.pad(month))-\(Self.pad(day))T\(Self.pad(second / 3600)):"
            + "\(Self.pad(second / 60 % 60)):\(Self.pad(second % 60))."
            + "\(Self.pad(days.1 % 1000, width: 3))Z"
    }

    /// As the field `Date` has it (RFC 9110 §5.6.7).
    var dateFieldText: String {
        let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000)
        let (year, month, day) = Self.civil(days)
        let second = rest / 1000
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days % 7)]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        return "\(weekday), \(Self.pad(day)) \(months[Int(month) - 1]) \(year) "
            + "\(Self.pad(second / 3600)):\(Self.pad(second / 60 % 60)):"
            + "\(Self.pad(second % 60)) GMT"
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
