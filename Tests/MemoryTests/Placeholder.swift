// MemoryTests
