// An application in CommonJS: Node hands it the ES modules.
const assert = require("node:assert/strict")

const { ZooKeeper } = require("@effect-zookeeper/client")
const { parse } = require("@effect-zookeeper/transport/ConnectString")

assert.equal(typeof ZooKeeper.layer, "function")
assert.equal(typeof require("@effect-zookeeper/protocol").Jute.codec, "function")
assert.equal(typeof require("@effect-zookeeper/recipes").Lock.make, "function")
assert.equal(typeof require("@effect-zookeeper/recipes/Promise").recipes, "function")
assert.equal(typeof require("@effect-zookeeper/cluster").ZooKeeperRunnerStorage.make, "function")
assert.equal(typeof require("@effect-zookeeper/config").LiveConfig.make, "function")
assert.equal(typeof require("@effect-zookeeper/config/Promise").configuration, "function")
assert.equal(typeof require("@effect-zookeeper/console").ConsoleServer.make, "function")
assert.equal(typeof require("@effect-zookeeper/session").Session.layer, "function")
assert.equal(typeof require("@effect-zookeeper/server").EmbeddedServer.layerMemoryWith, "function")
assert.equal(parse("zk1").success.servers[0].host, "zk1")
