// PoolTests
