/**
 * Which watch hears of what: the table of the protocol, and what 3.8 does with several modes on one path.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert, describe, it } from "@effect/vitest"
import type { Client } from "../../src/internal/state/ServerState.ts"
import { type Harness, open, start } from "../support/harness.ts"

type Act = (harness: Harness, client: Client, path: string) => ReadonlyArray<string>

const remove: Act = (harness, client, path) => harness.ask(client, Operations.deleteNode, { path, version: -1 }).events

const write: Act = (harness, client, path) =>
  harness.ask(client, Operations.setData, { path, data: null, version: -1 }).events

const create: Act = (harness, client, path) => harness.create(client, path).events

const watch: Record<string, (harness: Harness, client: Client, path: string) => number | undefined> = {
  data: (harness, client, path) => harness.ask(client, Operations.getData, { path, watch: true }).err,
  exists: (harness, client, path) => harness.ask(client, Operations.exists, { path, watch: true }).err,
  children: (harness, client, path) => harness.ask(client, Operations.getChildren2, { path, watch: true }).err,
  persistent: (harness, client, path) => harness.ask(client, Operations.addWatch, { path, mode: 0 }).err,
  recursive: (harness, client, path) => harness.ask(client, Operations.addWatch, { path, mode: 1 }).err
}

/** A world in which /x/a, or /x/a/b too, is there or not. */
const world = (...paths: ReadonlyArray<string>) => {
  const { client, harness } = start()
  for (const path of ["/x", ...paths]) harness.create(client, path)
  return { harness, client }
}

describe("a watch on /x/a alone hears of", () => {
  const table: Record<string, Record<string, string | undefined>> = {
    "setData /x/a": {
      data: "NodeDataChanged",
      exists: "NodeDataChanged",
      persistent: "NodeDataChanged",
      recursive: "NodeDataChanged"
    },
    "delete /x/a": {
      data: "NodeDeleted",
      exists: "NodeDeleted",
      children: "NodeDeleted",
      persistent: "NodeDeleted",
      recursive: "NodeDeleted"
    },
    "create /x/a": { exists: "NodeCreated", persistent: "NodeCreated", recursive: "NodeCreated" },
    "create /x/a/b": {
      children: "NodeChildrenChanged",
      persistent: "NodeChildrenChanged",
      recursive: "NodeCreated /x/a/b"
    },
    "delete /x/a/b": {
      children: "NodeChildrenChanged",
      persistent: "NodeChildrenChanged",
      recursive: "NodeDeleted /x/a/b"
    },
    "setData /x/a/b": { recursive: "NodeDataChanged /x/a/b" },
    "setACL /x/a": {}
  }
  const acts: Record<string, Act> = {
    create,
    delete: remove,
    setData: write,
    setACL: (harness, client, path) => harness.ask(client, Operations.setACL, { path, acl: open, version: -1 }).events
  }
  for (const [change, expected] of Object.entries(table)) {
    const [act = "", path = ""] = change.split(" ")
    for (const kind of Object.keys(watch)) {
      const event = expected[kind]
      it(`${change}, if it is ${kind}: ${event ?? "nothing"}`, () => {
        const there = [
          ...(change === "create /x/a" ? [] : ["/x/a"]),
          ...(/(delete|setData) .*b$/.test(change) ? ["/x/a/b"] : [])
        ]
        const { client, harness } = world(...there)
        const set = watch[kind]!(harness, client, "/x/a")
        if (change === "create /x/a" && (kind === "data" || kind === "children")) {
          assert.strictEqual(set, codes.NoNode, "it cannot be set")
        }
        const heard = acts[act]!(harness, client, path)
        assert.deepStrictEqual(heard, event === undefined ? [] : [event.includes(" ") ? event : `${event} /x/a`])
        const again = kind === "persistent" || kind === "recursive"
        if (act === "setData" && event !== undefined) {
          assert.lengthOf(write(harness, client, path), again ? 1 : 0, "one-shot watches are used up")
        }
      })
    }
  }
})

describe("several watches of one connection", () => {
  it("on one znode are one event when it is deleted", () => {
    const { client, harness } = world("/x/a")
    for (const kind of ["data", "exists", "children"]) watch[kind]!(harness, client, "/x/a")
    assert.deepStrictEqual(remove(harness, client, "/x/a"), ["NodeDeleted /x/a"])
  })

  it("that overlap are one event", () => {
    const { client, harness } = world()
    for (const path of ["/", "/x"]) watch["recursive"]!(harness, client, path)
    assert.deepStrictEqual(create(harness, client, "/x/a"), ["NodeCreated /x/a"])
  })

  it("a one-shot watch takes the place of a persistent one, in its table", () => {
    const { client, harness } = world("/x/a")
    watch["persistent"]!(harness, client, "/x/a")
    watch["data"]!(harness, client, "/x/a")
    assert.lengthOf(write(harness, client, "/x/a"), 1)
    assert.lengthOf(write(harness, client, "/x/a"), 0)
    assert.deepStrictEqual(create(harness, client, "/x/a/b"), ["NodeChildrenChanged /x/a"])
  })

  it("the node comes before its parent", () => {
    const { client, harness } = world()
    watch["children"]!(harness, client, "/x")
    watch["exists"]!(harness, client, "/x/a")
    assert.deepStrictEqual(create(harness, client, "/x/a"), ["NodeCreated /x/a", "NodeChildrenChanged /x"])
  })
})

describe("a client without READ on a znode", () => {
  it("gets no event of it, and has used up the watch", () => {
    const { client, harness } = world()
    const other = harness.client()
    watch["exists"]!(harness, other, "/x/a")
    const secret = [{ perms: 31, scheme: "digest", id: "bob:hash" }]
    const made = harness.ask(client, Operations.create, { path: "/x/a", data: null, acl: secret, flags: 0 })
    assert.deepStrictEqual(made.events, [])
    assert.deepStrictEqual(remove(harness, client, "/x/a"), [])
  })
})

describe("setWatches", () => {
  it("fires for the znodes that have changed since, in the order of its lists, and sets the others", () => {
    const { client, harness } = world("/x/a", "/x/b")
    const relativeZxid = harness.state.zxid
    write(harness, client, "/x/a")
    create(harness, client, "/x/new")
    const { events } = harness.ask(client, Operations.setWatches2, {
      relativeZxid,
      dataWatches: ["/x/a", "/x/b", "/x/none"],
      existWatches: ["/x/new", "/x/later"],
      childWatches: ["/x", "/x/b"],
      persistentWatches: ["/x/p"],
      persistentRecursiveWatches: ["/x/r"]
    })
    assert.deepStrictEqual(events, [
      "NodeDataChanged /x/a",
      "NodeDeleted /x/none",
      "NodeCreated /x/new",
      "NodeChildrenChanged /x"
    ])
    assert.deepStrictEqual(write(harness, client, "/x/b"), ["NodeDataChanged /x/b"])
    assert.deepStrictEqual(create(harness, client, "/x/b/c"), ["NodeChildrenChanged /x/b"])
    assert.deepStrictEqual(create(harness, client, "/x/later"), ["NodeCreated /x/later"])
    assert.deepStrictEqual(create(harness, client, "/x/p"), ["NodeCreated /x/p"])
    assert.deepStrictEqual(create(harness, client, "/x/r"), ["NodeCreated /x/r"])
    assert.deepStrictEqual(create(harness, client, "/x/r/s"), ["NodeCreated /x/r/s"])
  })
})
