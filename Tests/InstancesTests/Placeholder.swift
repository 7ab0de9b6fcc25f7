// InstancesTests
