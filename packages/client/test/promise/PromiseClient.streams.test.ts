import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it } from "@effect/vitest"
import { InvalidArgument, PromiseClient } from "../../src/index.ts"
import {
  awaitWatches,
  connect,
  hasNoWatch,
  hasWatch,
  rejectedWith,
  rejection,
  text,
  itConnected
} from "../support/promises.ts"

const hasEvents = TestServer.isAtLeast("3.6.0")

describe("the Promise client's streams", () => {
  it("give each newer value, undefined for no znode, and stop their watch when the loop is left", async () => {
    const { chroot, zk } = await connect("promise-changes")
    const seen: Array<string | undefined> = []
    for await (const node of zk.dataChanges("/a")) {
      seen.push(node === undefined ? undefined : text(node.data))
      if (node === undefined && seen.length === 1) await zk.create("/a", { data: "1" })
      else if (seen.length === 2) await zk.set("/a", "2")
      else if (seen.length === 3) await zk.delete("/a")
      else break
    }
    assert.deepStrictEqual(seen, [undefined, "1", "2", undefined])
    // Servers before 3.5 remove no watch.
    if (TestServer.isAtLeast("3.5.0")) await awaitWatches(hasNoWatch(`${chroot}/a`))
  })

  it.skipIf(!hasEvents)(
    TestServer.needs("3.6.0", "of events hold a persistent watch for as long as the loop runs"),
    async () => {
      const { chroot, zk } = await connect("promise-events")
      await zk.create("/a")
      const events = zk.events("/a", { recursive: true })[Symbol.asyncIterator]()
      const first = events.next()
      await awaitWatches(hasWatch(`${chroot}/a`))
      await zk.create("/a/b")
      await zk.set("/a/b", "x")
      assert.deepInclude((await first).value, { type: "NodeCreated", path: "/a/b" })
      assert.deepInclude((await events.next()).value, { type: "NodeDataChanged", path: "/a/b" })
      assert.deepStrictEqual(await events.return?.(), { done: true, value: undefined })
      await awaitWatches(hasNoWatch(`${chroot}/a`))
      assert.isTrue((await events.next()).done)
    }
  )

  it.skipIf(!hasEvents)(TestServer.needs("3.6.0", "end for the other readers when one leaves the loop"), async () => {
    const { chroot, zk } = await connect("promise-leave")
    await zk.create("/a")
    const events = zk.events("/a")[Symbol.asyncIterator]()
    const waiting = events.next()
    await awaitWatches(hasWatch(`${chroot}/a`))
    await events.return?.()
    assert.isTrue((await waiting).done)
  })

  itConnected("reject with the error of the stream, once, and are over then", async ({ zk }) => {
    const events = zk.events("not a path")[Symbol.asyncIterator]()
    await rejectedWith(events.next(), InvalidArgument)
    assert.isTrue((await events.next()).done)
  })

  const reason = "reject with the signal's reason, in a loop that waits and in one that does not"
  it.skipIf(!hasEvents)(TestServer.needs("3.6.0", reason), async () => {
    const { chroot, zk } = await connect("promise-stream-signal")
    await zk.create("/a")
    const waiting = new AbortController()
    const idle = new AbortController()
    const events = zk.events("/a", undefined, { signal: waiting.signal })[Symbol.asyncIterator]()
    const next = events.next()
    const changes = zk.dataChanges("/a", { signal: idle.signal })[Symbol.asyncIterator]()
    assert.isFalse((await changes.next()).done)
    await awaitWatches(hasWatch(`${chroot}/a`))
    const reason = new Error("enough")
    waiting.abort(reason)
    idle.abort(reason)
    assert.strictEqual(await rejection(next), reason)
    assert.strictEqual(await rejection(changes.next()), reason)
    assert.isTrue((await changes.next()).done)
    await awaitWatches(hasNoWatch(`${chroot}/a`))
  })

  itConnected("can be looped over again", async ({ zk }) => {
    const children = zk.childrenChanges("/")
    const look = async () => {
      for await (const now of children) return now?.children
      return undefined
    }
    assert.deepStrictEqual(await look(), [])
    await zk.create("/a")
    assert.deepStrictEqual(await look(), ["a"])
  })
})

describe("a signal", () => {
  itConnected("that is aborted keeps a call from being made", async ({ zk }) => {
    const reason = new Error("no")
    assert.strictEqual(await rejection(zk.create("/a", undefined, { signal: AbortSignal.abort(reason) })), reason)
    const error = await rejectedWith(zk.create("/a", undefined, { signal: AbortSignal.abort() }), DOMException)
    assert.strictEqual(error.name, "AbortError")
    assert.isFalse(await zk.exists("/a"))
  })

  itConnected("interrupts a call under way, and drops its watch", async ({ chroot, zk }) => {
    await zk.create("/a")
    const { changed } = await zk.getAndWatch("/a")
    const abort = new AbortController()
    const waiting = changed({ signal: abort.signal })
    await awaitWatches(hasWatch(`${chroot}/a`))
    const reason = new Error("enough")
    abort.abort(reason)
    assert.strictEqual(await rejection(waiting), reason)
    await awaitWatches(hasNoWatch(`${chroot}/a`))
  })

  itConnected("does nothing to a call that has its answer", async ({ zk }) => {
    const abort = new AbortController()
    assert.isTrue(await zk.exists("/", { signal: abort.signal }))
    abort.abort()
    assert.isTrue(await zk.exists("/", { signal: undefined }))
  })

  it("aborts connecting", async () => {
    const abort = new AbortController()
    // A port without a listener: it is tried again and again.
    const connecting = PromiseClient.connect("127.0.0.1:1", {}, { signal: abort.signal })
    const reason = new Error("enough")
    abort.abort(reason)
    assert.strictEqual(await rejection(connecting), reason)
  })
})
