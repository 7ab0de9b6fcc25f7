// AdapterTests
