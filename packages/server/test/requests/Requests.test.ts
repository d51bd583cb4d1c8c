/**
 * Cases that random programs beside a real server do not show: counters at their limits, several members, time.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { encodeRequest } from "@effect-zookeeper/test-kit/RequestFrames"
import { assert, describe, it } from "@effect/vitest"
import * as Requests from "../../src/internal/requests/Requests.ts"
import { passwordOf } from "../../src/internal/state/Sessions.ts"
import { Harness, open, start } from "../support/harness.ts"

const statOf = (harness: Harness, client: Parameters<Harness["ask"]>[0], path: string) =>
  harness.ask(client, Operations.exists, { path, watch: false }).response.stat

describe("a fresh server", () => {
  const expected = [
    ["/", { cversion: -1, numChildren: 1, aversion: 0 }],
    ["/zookeeper", { cversion: -2, numChildren: 2, aversion: 0 }],
    ["/zookeeper/quota", { cversion: 0, numChildren: 0, aversion: 0 }],
    ["/zookeeper/config", { cversion: 0, numChildren: 0, aversion: -1 }]
  ] as const
  for (const [path, odd] of expected) {
    it(`has ${path} with its odd Stat`, () => {
      const harness = new Harness()
      const zero = {
        czxid: 0n,
        mzxid: 0n,
        pzxid: 0n,
        ctime: 0,
        mtime: 0,
        version: 0,
        ephemeralOwner: 0n,
        dataLength: 0
      }
      assert.deepStrictEqual(statOf(harness, harness.client(), path), { ...zero, ...odd })
    })
  }
})

describe("the number of a sequential znode", () => {
  const sequential = (harness: Harness, client: Parameters<Harness["ask"]>[0]) => harness.create(client, "/s/n-", 2)

  it("stands still after 2147483647, and so do the parent's cversion and pzxid", () => {
    const { client, harness } = start()
    harness.create(client, "/s")
    harness.state.leader.tree.get("/s")!.cversion = 2147483646
    assert.strictEqual(sequential(harness, client).response.path, "/s/n-2147483646")
    assert.strictEqual(sequential(harness, client).response.path, "/s/n-2147483647")
    const before = statOf(harness, client, "/s")
    assert.strictEqual(sequential(harness, client).err, codes.NodeExists)
    harness.create(client, "/s/other")
    const after = statOf(harness, client, "/s")
    assert.strictEqual(after.pzxid, before.pzxid)
    assert.strictEqual(after.numChildren, before.numChildren + 1)
  })

  it("goes on below zero for the second one of a transaction", () => {
    const { client, harness } = start()
    harness.create(client, "/s")
    harness.state.leader.tree.get("/s")!.cversion = 2147483647
    const request = { path: "/s/n-", data: null, acl: open, flags: 2 }
    const { response } = harness.ask(client, Operations.multi, [
      { operation: "create", request },
      { operation: "create", request }
    ])
    const created = response as ReadonlyArray<{ readonly response: { readonly path: string } }>
    assertEach(created, ({ response }) => response.path, ["/s/n-2147483647", "/s/n--2147483648"])
  })
})

describe("versions", () => {
  it("wrap, and pass through -1, which no write can expect", () => {
    const { client, harness } = start()
    harness.create(client, "/v")
    const set = (version: number) => harness.ask(client, Operations.setData, { path: "/v", data: null, version })
    harness.state.leader.tree.get("/v")!.version = 2147483647
    assert.strictEqual(set(2147483647).response.stat.version, -2147483648)
    harness.state.leader.tree.get("/v")!.version = -2
    assert.strictEqual(set(-2).response.stat.version, -1)
    assert.strictEqual(set(7).err, codes.BadVersion)
    assert.strictEqual(set(-1).response.stat.version, 0)
  })
})

describe("zxids", () => {
  it("are used up by refused writes, sessions and their ends, and by nothing else", () => {
    const { client, harness } = start()
    assert.strictEqual(harness.state.zxid, 1n)
    assert.strictEqual(harness.create(client, "/no/parent").err, codes.NoNode)
    assert.strictEqual(harness.state.zxid, 2n)
    harness.ask(client, Operations.getData, { path: "/none", watch: false })
    harness.ask(client, Operations.sync, { path: "/" })
    assert.strictEqual(harness.ask(client, Operations.ping, undefined).zxid, 2n)
    harness.ask(client, Operations.closeSession, undefined)
    assert.strictEqual(harness.state.zxid, 3n)
  })
})

describe("sessions", () => {
  it("have the password that a real server makes of the id", () => {
    const recorded = "3a1105083fa3aff1a8e7877c20db80f4"
    assert.strictEqual(Buffer.from(passwordOf(0x1000047cdb80000n)).toString("hex"), recorded)
  })

  it("negotiate a timeout between two and twenty ticks, anew at each handshake", () => {
    const harness = new Harness()
    for (const [asked, given] of [
      [-1, 4_000],
      [0, 4_000],
      [9_999, 9_999],
      [2147483647, 40_000]
    ] as const) {
      const { answer } = harness.connect(0, undefined, { timeOut: asked })
      assert.strictEqual(answer?._tag === "Answered" && answer.response.timeOut, given)
    }
    const { client } = harness.connect(0, undefined, { timeOut: 10_000 })
    const passwd = passwordOf(client.session!.id)
    const again = harness.connect(0, client, { timeOut: 20_000, passwd })
    assert.strictEqual(again.answer?._tag === "Answered" && again.answer.response.timeOut, 20_000)
    assert.isTrue(again.outcome.toDisconnect.has(client), "the connection that had it is dropped")
  })

  it("live between their timeout and a tick more, and take their ephemerals with them in one transaction", () => {
    const harness = new Harness({ tickTime: 2_000 })
    const watcher = harness.connect(0, undefined, { timeOut: 40_000 }).client
    const { client } = harness.connect(0, undefined, { timeOut: 4_000 })
    harness.create(client, "/e1", 1)
    harness.create(client, "/e2", 1)
    harness.ask(watcher, Operations.addWatch, { path: "/", mode: 1 })
    const zxid = harness.state.zxid
    harness.now = 5_999
    assert.isFalse(harness.state.expireSessions(harness.time).toDisconnect.has(client))
    harness.now = 6_000
    const { toDisconnect, events } = harness.state.expireSessions(harness.time)
    assert.isTrue(toDisconnect.has(client))
    assert.deepStrictEqual(events.map(({ path, type }) => `${type} ${path}`).sort(), [
      "NodeDeleted /e1",
      "NodeDeleted /e2"
    ])
    assert.strictEqual(harness.state.zxid, zxid + 1n)
  })

  it("a wrong password drops the owner before it is refused itself", () => {
    const harness = new Harness()
    const { client } = harness.connect()
    const { answer, outcome } = harness.connect(0, client, { passwd: new Uint8Array(16) })
    assert.strictEqual(answer?._tag === "Answered" && answer.response.timeOut, 0)
    assert.isTrue(outcome.toDisconnect.has(client))
    assert.strictEqual(harness.state.sessions.size, 1, "the session can still be resumed with the password")
  })

  it("a client that has seen more than the server is disconnected without a word", () => {
    const harness = new Harness()
    const { answer, client, outcome } = harness.connect(0, undefined, { lastZxidSeen: 1n })
    assert.isUndefined(answer)
    assert.isTrue(outcome.toDisconnect.has(client))
  })
})

describe("containers and TTL znodes", () => {
  it("a TTL znode goes when it has neither had children nor new data for longer than its time", () => {
    const { client, harness } = start()
    harness.ask(client, Operations.createTTL, { path: "/t", data: null, acl: open, flags: 5, ttl: 100n })
    harness.now += 90
    harness.ask(client, Operations.setData, { path: "/t", data: null, version: -1 })
    harness.now += 100
    harness.state.collect(harness.time)
    assert.isDefined(harness.state.leader.tree.get("/t"))
    harness.now += 1
    harness.state.collect(harness.time)
    assert.isUndefined(harness.state.leader.tree.get("/t"))
  })
})

describe("several members", () => {
  it("one that lags shows an older state, until a client syncs or writes there", () => {
    const harness = new Harness({ members: 2 })
    const [here, there] = [harness.client(0), harness.client(1)]
    harness.state.replicas[1]!.lag = 10
    harness.ask(there, Operations.exists, { path: "/x", watch: true })
    assert.deepStrictEqual(
      harness.create(here, "/x").events,
      [],
      "who is connected to the other member hears nothing yet"
    )
    const seen = harness.ask(there, Operations.exists, { path: "/x", watch: false })
    assert.strictEqual(seen.err, codes.NoNode)
    assert.isBelow(Number(seen.zxid), Number(harness.state.zxid))
    const synced = harness.ask(there, Operations.sync, { path: "/" })
    assert.deepStrictEqual(synced.events, ["NodeCreated /x"])
    assert.strictEqual(synced.zxid, harness.state.zxid)
    harness.create(here, "/y")
    assert.strictEqual(harness.create(there, "/y").err, codes.NodeExists)
  })

  it("a client that has seen more than a member is not served there", () => {
    const harness = new Harness({ members: 2 })
    const client = harness.client(0)
    harness.state.replicas[1]!.lag = 10
    harness.create(client, "/x")
    assert.isUndefined(harness.connect(1, undefined, { lastZxidSeen: harness.state.zxid }).answer)
  })

  it("a session that has moved is cut off at the old member when it writes, and what it wrote is not done", () => {
    const harness = new Harness({ members: 3 })
    const old = harness.client(1)
    const passwd = passwordOf(old.session!.id)
    const moved = harness.connect(2, old, { passwd })
    assert.isFalse(moved.outcome.toDisconnect.has(old))
    assert.strictEqual(harness.ask(old, Operations.ping, undefined).err, 0)
    const write = harness.create(old, "/x")
    assert.isTrue(write.dropped)
    assert.isUndefined(write.err)
    assert.isUndefined(harness.state.leader.tree.get("/x"))
    assert.strictEqual(harness.create(moved.client, "/x").err, 0)
  })

  it("a read-only member refuses writes, and clients that want to write", () => {
    const harness = new Harness({ members: 2 })
    harness.state.replicas[1]!.readOnly = true
    assert.isUndefined(harness.connect(1).answer)
    const { answer, client } = harness.connect(1, undefined, { readOnly: true })
    assert.isTrue(answer?._tag === "Answered" && answer.response.readOnly)
    assert.strictEqual(harness.create(client, "/x").err, codes.NotReadOnly)
    assert.strictEqual(harness.ask(client, Operations.sync, { path: "/" }).err, codes.NotReadOnly)
    assert.strictEqual(harness.ask(client, Operations.exists, { path: "/", watch: true }).err, 0)
  })

  it("without sessions of its own, a read-only member answers with a bare refusal and goes silent", () => {
    const harness = new Harness({ localSessions: false })
    harness.state.replicas[0]!.readOnly = true
    const { answer, client, outcome } = harness.connect(0, undefined, { readOnly: true })
    assert.deepStrictEqual(answer, { _tag: "Refused", code: codes.NotReadOnly })
    assert.isFalse(outcome.toDisconnect.has(client))
  })
})

describe("an unknown operation", () => {
  for (const type of [0, 10, 13, 20, 99, -10]) {
    it(`op code ${type} is answered with -6 and ends the connection`, () => {
      const { client, harness } = start()
      const body = encodeRequest({ ...Operations.ping, opCode: type }, undefined, 3)
      const { toDisconnect, reply } = Requests.apply(harness.state, client, new JuteReader(body), harness.time)
      assert.strictEqual(reply?.err, codes.Unimplemented)
      assert.strictEqual(reply?.zxid, -1n)
      assert.isTrue(toDisconnect.has(client))
    })
  }

  it("a createTTL without a TTL mode, which kills a real 3.8.0, is refused", () => {
    const harness = new Harness()
    const request = { path: "/x", data: null, acl: open, flags: 0, ttl: -1n }
    assert.strictEqual(harness.ask(harness.client(), Operations.createTTL, request).err, codes.BadArguments)
  })
})

describe("going back to a snapshot", () => {
  it("brings znodes and sessions back, and the zxid goes on", () => {
    const { client, harness } = start()
    harness.create(client, "/kept", 1)
    const snapshot = harness.state.snapshot()
    harness.create(client, "/late")
    const other = harness.client()
    const zxid = harness.state.zxid
    const outcome = harness.state.restore(snapshot, harness.time)
    assert.isTrue(outcome.toDisconnect.has(client) && outcome.toDisconnect.has(other))
    const again = harness.connect(0, client, { passwd: passwordOf(client.session!.id), lastZxidSeen: zxid })
    assert.strictEqual(again.answer?._tag, "Answered")
    assert.isDefined(harness.state.leader.tree.get("/kept"))
    assert.isUndefined(harness.state.leader.tree.get("/late"))
    assert.deepStrictEqual(harness.ask(again.client, Operations.getEphemerals, { prefixPath: null }).response, {
      ephemerals: ["/kept"]
    })
    assert.isUndefined(harness.state.sessions.get(other.session!.id))
    // A snapshot can be gone back to again.
    harness.ask(again.client, Operations.deleteNode, { path: "/kept", version: -1 })
    harness.state.restore(snapshot, harness.time)
    assert.isDefined(harness.state.leader.tree.get("/kept"))
  })

  it("of another server brings its clients along, and keeps zxids and session ids apart", () => {
    const [one, two] = [new Harness(), new Harness()]
    const client = one.client()
    for (const name of ["a", "b", "c"]) one.create(client, `/${name}`)
    const snapshot = one.state.snapshot()
    one.create(client, "/late")
    const seen = one.state.zxid
    two.state.restore(snapshot, two.time)
    const again = two.connect(0, client, { passwd: passwordOf(client.session!.id), lastZxidSeen: seen })
    assert.strictEqual(again.client.session?.id, client.session?.id)
    assert.notStrictEqual(two.client().session?.id, client.session?.id)
    two.create(again.client, "/young")
    const { tree } = two.state.leader
    assert.isTrue(tree.get("/young")!.czxid > tree.get("/c")!.czxid)
    assert.isTrue(tree.get("/young")!.czxid > seen)
  })
})
