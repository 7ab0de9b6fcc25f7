// HTTPModelTests
