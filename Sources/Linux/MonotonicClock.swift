internal import Glibc
public import Time

/// The machine's monotonic clock.
public enum MonotonicClock {
    /// Now; to be read once a loop turn.
    public static func now() -> MonotonicTime {
        var time = timespec()
        // Safe because the call only fills the structure.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// The machine's wall clock.
public enum WallClock {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    public static func milliseconds() -> Int64 {
        var time = timespec()
        // Safe because the call only fills the structure.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// How far the machine's local time is ahead of UTC at a second since 1970.
    public static func secondsEastOfUTC(at second: Int64) -> Int64 {
        var second = time_t(second)
        var local = unsafe tm()
        // Safe because the call reads the one and fills the other.
        guard unsafe localtime_r(&second, &local) != nil else { return 0 }
        return unsafe Int64(local.tm_gmtoff)
    }
}
