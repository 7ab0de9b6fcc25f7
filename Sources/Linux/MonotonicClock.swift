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
}
