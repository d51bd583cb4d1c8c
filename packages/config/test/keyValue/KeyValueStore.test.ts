import { failure, numbersBelow, text } from "@effect-zookeeper/test-kit/Expectations"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as LaggingClient from "@effect-zookeeper/test-kit/LaggingClient"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { ZooKeeper } from "@effect-zookeeper/client"
import * as ZooKeeperKeyValueStore from "../../src/ZooKeeperKeyValueStore.ts"
import { describeOnServers, withClient } from "../support/targets.ts"

const path = "/settings"

describeOnServers("a key value store", (test) => {
  test("sets, gets, lists and removes", function* ({ zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    assert.isTrue(yield* store.isEmpty)
    assert.isUndefined(yield* store.get("a"))
    assert.isFalse(yield* store.has("a"))
    yield* store.remove("a")
    yield* store.set("a", "1")
    yield* store.set("b", "2")
    yield* store.set("a", "3")
    assert.strictEqual(yield* store.get("a"), "3")
    assert.strictEqual(text((yield* store.getUint8Array("b"))!), "2")
    assert.isTrue(yield* store.has("b"))
    assert.strictEqual(yield* store.size, 2)
    assert.deepStrictEqual([...(yield* store.keys)].toSorted(), ["a", "b"])
    yield* store.remove("a")
    assert.isUndefined(yield* store.get("a"))
    yield* store.clear
    assert.strictEqual(yield* store.size, 0)
  })

  test("has bytes as they are, and gives those that are no text as base64", function* ({ zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    yield* store.set("k", Uint8Array.of(0, 255, 1))
    assert.deepStrictEqual(yield* store.getUint8Array("k"), Uint8Array.of(0, 255, 1))
    assert.strictEqual(yield* store.get("k"), "AP8B")
  })

  test("has every text as a key, and no two keys in one znode", function* ({ zk }) {
    const keys = [
      "",
      ".",
      "..",
      "/",
      "a/b",
      "a%2Fb",
      "%",
      "%25",
      "zookeeper",
      "\0",
      "\n",
      "é",
      "😀",
      "a b",
      "..a",
      "%2E"
    ]
    for (const root of [path, "/"]) {
      const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path: root }))
      for (const [index, key] of keys.entries()) yield* store.set(key, String(index))
      for (const [index, key] of keys.entries()) assert.strictEqual(yield* store.get(key), String(index), key)
      const listed = (yield* store.keys).filter((key) => key !== "settings")
      assert.deepStrictEqual(listed.toSorted(), keys.toSorted())
      for (const key of keys) yield* store.remove(key)
    }
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    assert.include((yield* failure(store.set("\ud800", "1"), "KeyValueStoreError")).message, "surrogate")
  })

  test("leaves znodes alone that are of no key", function* ({ zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    yield* store.set("a", "1")
    yield* zk.create("/settings/a b", { data: "of another program" })
    assert.deepStrictEqual(yield* store.keys, ["a"])
    yield* store.clear
    assert.deepStrictEqual(yield* zk.getChildren(path), ["a b"])
  })

  test("writes the bytes that were in the buffer at the call", function* ({ zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    const buffer = new TextEncoder().encode("given")
    const setting = store.set("k", buffer)
    buffer.fill(0)
    yield* setting
    assert.strictEqual(yield* store.get("k"), "given")
  })

  test("refuses a value that is neither text nor bytes, and leaves the entry as it is", function* ({ zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    yield* store.set("k", "kept")
    // As JavaScript may give them, such as a function that forgets to return.
    for (const value of [undefined, null, 5, {}, [1, 2], new Uint16Array(2)] as ReadonlyArray<unknown>) {
      const given = value as Uint8Array & string
      const attempts = [store.set("k", given), store.modify("k", () => given), store.modifyUint8Array("k", () => given)]
      for (const attempt of attempts) {
        const error = yield* failure(attempt, "KeyValueStoreError")
        assert.strictEqual(error.message, "a value is a text or a Uint8Array")
      }
    }
    assert.strictEqual(yield* store.get("k"), "kept")
  })

  test("loses no modification of several processes", function* ({ another, zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    yield* store.set("n", "0")
    assert.isUndefined(yield* store.modify("missing", (value) => value))
    const stores = yield* Effect.forEach(numbersBelow(4), () =>
      Effect.flatMap(another(), (mine) => withClient(mine)(ZooKeeperKeyValueStore.make({ path })))
    )
    const add = (mine: KeyValueStore.KeyValueStore) => mine.modify("n", (n) => String(Number(n) + 1))
    yield* Effect.forEach(stores, (mine) => Effect.repeat(add(mine), { times: 9 }), { concurrency: 4 })
    assert.strictEqual(yield* store.get("n"), "40")
  })

  test("has prefixes, and schemas, as every store", function* ({ zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    const users = KeyValueStore.prefix(store, "users/")
    yield* users.set("1", "a")
    yield* store.set("other", "b")
    assert.deepStrictEqual(yield* users.keys, ["1"])
    assert.strictEqual(yield* store.get("users/1"), "a")
    yield* users.clear
    assert.deepStrictEqual(yield* store.keys, ["other"])
  })

  test("refuses a value that is too large before it is sent", function* ({ zk }) {
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    yield* store.set("fits", "x".repeat(1_000_000))
    const error = yield* failure(store.set("k", "y".repeat(1_000_001)), "KeyValueStoreError")
    assert.include(error.message, "a value of 1000001 bytes is larger than maxValueSize (1000000)")
    assert.notInclude(error.message, "yy")
    yield* failure(
      store.modify("fits", (value) => `${value}y`),
      "KeyValueStoreError"
    )
    assert.strictEqual((yield* store.get("fits"))?.length, 1_000_000)
  })

  test("repeats a write whose reply is lost, and leaves a modification to its caller", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const store = yield* withClient(mine)(ZooKeeperKeyValueStore.make({ path }))
    yield* store.set("n", "0")
    yield* link.loseReply(Operations.setData)
    yield* store.set("n", "1")
    assert.strictEqual(text(yield* zk.getData("/settings/n")), "1")
    yield* link.loseReply(Operations.setData)
    const error = yield* failure(
      store.modify("n", (n) => String(Number(n) + 1)),
      "KeyValueStoreError"
    )
    assert.propertyVal(error.cause, "_tag", "ConnectionLoss")
    assert.strictEqual(yield* store.get("n"), "2")
  })

  test("removes an entry once, whatever another process sets meanwhile", function* ({ another, zk }) {
    const client = LaggingClient.make(yield* another(), "/settings/n")
    const store = yield* withClient(zk)(ZooKeeperKeyValueStore.make({ path }))
    const theirs = yield* withClient(client.zk)(ZooKeeperKeyValueStore.make({ path }))
    yield* store.set("n", "0")
    client.loseDelete(store.set("n", "another's"))
    yield* theirs.remove("n")
    assert.strictEqual(yield* store.get("n"), "another's")
    // One that was set before the call goes, also where the server shows the one before it.
    yield* client.stay
    yield* store.remove("n")
    yield* store.set("n", "1")
    yield* store.set("n", "2")
    yield* theirs.remove("n")
    assert.isFalse(yield* store.has("n"))
  })

  test("clears all entries with one sync, also those of which the server does not know yet", function* ({ zk }) {
    const count = { syncs: 0 }
    const counting: ZooKeeper.Service = {
      ...zk,
      session: zk.session,
      sync: (asked) => Effect.suspend(() => (count.syncs++, zk.sync(asked))),
      getChildren: (asked) => Effect.suspend(() => (count.syncs === 0 ? Effect.succeed([]) : zk.getChildren(asked)))
    }
    const store = yield* withClient(counting)(ZooKeeperKeyValueStore.make({ path }))
    for (const key of ["a", "b", "c"]) yield* store.set(key, "1")
    yield* store.clear
    assert.strictEqual(count.syncs, 1)
    assert.deepStrictEqual(yield* zk.getChildren(path), [])
  })

  test("is a layer", function* ({ zk }) {
    const program = Effect.flatMap(KeyValueStore.KeyValueStore, (store) =>
      Effect.andThen(store.set("a", "1"), store.get("a"))
    )
    const value = yield* program.pipe(
      Effect.provide(ZooKeeperKeyValueStore.layer({ path })),
      Effect.provideService(ZooKeeper.ZooKeeper, zk)
    )
    assert.strictEqual(value, "1")
    yield* withClient(zk)(failure(ZooKeeperKeyValueStore.make({ path: "settings" }), "InvalidArgument"))
  })
})
