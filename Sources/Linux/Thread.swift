internal import CLinux
internal import Glibc

/// A thread of the kernel, which runs until its work returns.
public struct Thread: Sendable {
    private let handle: pthread_t

    private final class Start: Sendable {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }

    /// Starts one; `name` (at most 15 bytes) is what `ps` and debuggers show.
    public init(name: String, _ work: @escaping @Sendable () -> Void) throws(SystemError) {
        let start = Start(work)
        var handle = pthread_t()
        // Safe because the box is passed over retained and taken back exactly once.
        let box = unsafe Unmanaged.passRetained(start).toOpaque()
        let code = unsafe pthread_create(
            &handle,
            nil,
            { box in
                guard let box = unsafe box else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(box).takeRetainedValue()
                start.work()
                return nil
            },
            box
        )
        guard code == 0 else {
            unsafe Unmanaged<Start>.fromOpaque(box).release()
            throw SystemError(call: "pthread_create", code: code)
        }
        self.handle = handle
        // Safe because the name is only read.
        unsafe clinux_name_thread(handle, String(name.prefix(15)))
    }

    /// Lets it end by itself; nobody waits for it, and `join` must not be called.
    public func detach() {
        pthread_detach(handle)
    }

    /// Waits for its end.
    public func join() {
        pthread_join(handle, nil)
    }
}

/// The machine.
public enum Machine {
    /// How many cores this process may run on; at least one.
    public static var coreCount: Int {
        max(1, Int(clinux_core_count()))
    }

    /// Raises the number of descriptors that the process may have to what it is allowed, and
    /// gives it.
    public static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        // Safe because the calls read and fill the structure.
        guard unsafe getrlimit(resource, &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
        _ = unsafe getrlimit(resource, &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
