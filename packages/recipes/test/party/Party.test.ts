import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Party from "../../src/Party.ts"
import { awaitChildren } from "../support/holds.ts"
import {
  withClient,
  describeOnServers,
  awaitCondition,
  eventually,
  failure,
  pullFrom,
  text,
  now,
  closable,
  eachAtOnce
} from "../support/targets.ts"

const party = (zk: ZooKeeper.Service, options?: Party.Options) => withClient(zk)(Party.make("/party", options))

/** Joins, and can leave before the test ends. */
const joined = (party: Party.Party, options?: Party.JoinOptions) =>
  Effect.map(closable(party.join(options)), ([member, leave]) => ({ member, leave }))

const plain = (members: Party.Members) => Object.fromEntries([...members].map(([id, data]) => [id, text(data)]))

const ids = (party: Party.Party) => Effect.map(party.members, (members) => [...members.keys()].toSorted())

const sees = (party: Party.Party, expected: Readonly<Record<string, string>>) =>
  eventually(party.members, (members) => JSON.stringify(sorted(plain(members))) === JSON.stringify(sorted(expected)))

const sorted = (members: Readonly<Record<string, string>>) => Object.entries(members).toSorted()

describeOnServers("a party", (it) => {
  it.inChroot(
    "shows the members that have joined with their data, and not those that have left",
    function* ({ another, zk }) {
      const mine = yield* party(zk)
      const theirs = yield* party(yield* another())
      assert.deepStrictEqual(yield* ids(mine), [])
      const a = yield* joined(mine, { id: "a", data: "1" })
      // At once for oneself.
      assert.deepStrictEqual(plain(yield* mine.members), { a: "1" })
      const b = yield* joined(theirs, { id: "b" })
      yield* sees(mine, { a: "1", b: "" })
      yield* sees(theirs, { a: "1", b: "" })
      yield* a.member.setData("2")
      assert.deepStrictEqual(plain(yield* mine.members)["a"], "2")
      yield* sees(theirs, { a: "2", b: "" })
      yield* b.leave
      assert.deepStrictEqual(yield* ids(theirs), ["a"])
      yield* sees(mine, { a: "2" })
    }
  )

  it.inChroot("does not take other znodes for members", function* ({ zk }) {
    // aiozk's counts every child.
    yield* zk.ensurePath("/party")
    yield* zk.create("/party/settings", { data: "of somebody" })
    yield* zk.create("/party/lock", { mode: "ephemeral" })
    const mine = yield* party(zk, { filter: (name) => name !== "lock" })
    yield* joined(mine, { id: "a" })
    assert.deepStrictEqual(yield* ids(mine), ["a"])
    assert.strictEqual((yield* failure(Effect.scoped(mine.join({ id: "lock" })), "InvalidArgument")).argument, "id")
    yield* failure(Effect.scoped(mine.join({ id: "a/b" })), "InvalidArgument")
  })

  it.inChroot("has others see a lost session as one leave and one join", function* ({ breakable, expire, zk }) {
    const { link, zk: other } = yield* breakable()
    const mine = yield* party(zk)
    const theirs = yield* party(other)
    yield* joined(mine, { id: "observer" })
    const { member } = yield* joined(theirs, { id: "b", data: "here" })
    yield* sees(mine, { observer: "", b: "here" })
    const next = yield* pullFrom(Stream.map(mine.changes, (members) => [...members.keys()].toSorted().join()))
    assert.strictEqual(yield* next, "b,observer")
    const { id } = other.session
    yield* link.cut
    yield* expire(other)
    assert.strictEqual(yield* next, "observer")
    yield* link.heal
    assert.strictEqual(yield* next, "b,observer")
    assert.notStrictEqual(other.session.id, id)
    yield* awaitCondition(() => member.status._tag === "Present")
    yield* sees(theirs, { observer: "", b: "here" })
  })

  it.inChroot("no longer shows a member whose session has expired", function* ({ another, zk }) {
    const mine = yield* party(zk)
    const other = yield* another({ sessionTimeout: "2 seconds" })
    yield* joined(yield* party(other), { id: "b" })
    yield* sees(mine, { b: "" })
    yield* other.session.detach
    yield* sees(mine, {})
  })

  it.inChroot("goes on when its znode is deleted and created again", function* ({ another, zk }) {
    const mine = yield* party(zk)
    const theirs = yield* party(yield* another())
    yield* joined(mine, { id: "a" })
    yield* joined(theirs, { id: "b" })
    yield* sees(mine, { a: "", b: "" })
    yield* zk.deleteAll("/party")
    yield* awaitChildren(zk, "/party", 2)
    yield* sees(mine, { a: "", b: "" })
    yield* sees(theirs, { a: "", b: "" })
  })

  it.inChroot("fails when another has the id, waits for it, or takes the next one", function* ({ another, zk }) {
    // In the layout aiozk they cannot be told apart.
    const mine = yield* party(zk)
    const other = yield* another()
    const theirs = yield* joined(yield* party(other), { id: "a", data: "theirs" })
    const conflict = yield* failure(Effect.scoped(mine.join({ id: "a", expiryTimeout: 200 })), "MemberExists")
    assert.strictEqual(conflict.owner, other.session.id)
    assert.deepStrictEqual(plain(yield* mine.members), { a: "theirs" })
    const second = yield* joined(mine, { id: "a", data: "mine", onConflict: "suffix" })
    assert.strictEqual(second.member.id, "a-2")
    const third = yield* joined(mine, { id: "a", data: "mine too", onConflict: "suffix" })
    assert.strictEqual(third.member.id, "a-3")
    yield* sees(mine, { a: "theirs", "a-2": "mine", "a-3": "mine too" })
    // Two of one session are two as well.
    yield* failure(Effect.scoped(mine.join({ id: "a-2" })), "MemberExists")
    const waiting = yield* Effect.forkChild(joined(mine, { id: "a", data: "mine now", onConflict: "wait" }))
    yield* theirs.leave
    assert.strictEqual((yield* Fiber.join(waiting)).member.id, "a")
    yield* sees(mine, { a: "mine now", "a-2": "mine", "a-3": "mine too" })
  })

  it.inChroot("waits for a member of its id that has just died", function* ({ another, expire, zk }) {
    const former = yield* another()
    yield* joined(yield* party(former), { id: "a" })
    yield* former.session.detach
    const fiber = yield* Effect.forkChild(joined(yield* party(zk), { id: "a", expiryTimeout: "15 seconds" }))
    yield* expire(former)
    assert.strictEqual((yield* Fiber.join(fiber)).member.id, "a")
  })

  it.inChroot("leaves nothing behind when a join is interrupted", function* ({ another, zk }) {
    const mine = yield* party(zk)
    const other = yield* party(yield* another())
    for (let steps = 0; steps < 8; steps++) {
      const fiber = yield* Effect.forkChild(Effect.scoped(Effect.andThen(mine.join(), Effect.never)), now)
      for (let step = 0; step < steps; step++) yield* zk.exists("/")
      yield* Fiber.interrupt(fiber)
    }
    yield* awaitChildren(zk, "/party", 0)
    yield* sees(mine, {})
    yield* sees(other, {})
  })

  it.inChroot("is settled when no member has come or gone for a while", function* ({ zk }) {
    const mine = yield* party(zk)
    const next = yield* pullFrom(Stream.map(mine.settled("1 second"), ({ size }) => size))
    for (const id of ["a", "b", "c", "d"]) yield* joined(mine, { id })
    // The sizes in between have not lasted; on a busy machine the first may have.
    const sizes = [yield* next]
    while (sizes.at(-1) !== 4) sizes.push(yield* next)
    assert.isAtMost(sizes.length, 2)
  })

  it.inChroot(
    "shows two hundred members that join at once, and does not read the list again and again",
    function* ({ another, zk }) {
      let lists = 0
      const counting = new Proxy(zk, {
        get: (target, key: keyof ZooKeeper.Service) => {
          if (key === "getChildren" || key === "getChildrenWithStat" || key === "getChildrenAndWatch") lists++
          return target[key]
        }
      })
      const mine = yield* party(counting)
      const crowd = yield* party(yield* another())
      yield* eachAtOnce(Array.from({ length: 200 }), () => crowd.join())
      yield* eventually(mine.members, ({ size }) => size === 200)
      assert.isAtMost(lists, 100)
    }
  )

  it.inChroot("understands and writes the names of aiozk", function* ({ another, zk }) {
    const mine = yield* party(zk, { layout: "aiozk" })
    const other = yield* another()
    yield* other.ensurePath("/party")
    const hex = "0f".repeat(16)
    yield* other.create(`/party/worker-${hex}-`, { mode: "ephemeralSequential" })
    yield* other.create("/party/foreign-", { mode: "ephemeralSequential" })
    const first = yield* joined(mine, { id: "worker" })
    const second = yield* joined(mine, { id: "worker" })
    assert.match(first.member.path, /^\/party\/worker-[0-9a-f]{32}-\d{10}$/)
    assert.deepStrictEqual(yield* ids(mine), [`worker-${hex}`, first.member.id, second.member.id].toSorted())
    yield* second.leave
    assert.deepStrictEqual(yield* ids(mine), [`worker-${hex}`, first.member.id].toSorted())
  })
})
