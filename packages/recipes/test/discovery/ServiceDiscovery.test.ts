import { assert, describe } from "@effect/vitest"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { makeProvider } from "../../src/internal/discovery/provider.ts"
import { instanceCodec } from "../../src/internal/discovery/instanceCodec.ts"
import * as ServiceDiscovery from "../../src/ServiceDiscovery.ts"
import { getChildrenOrNone } from "../support/holds.ts"
import {
  assertEach,
  withClient,
  describeOnServers,
  eventually,
  failure,
  pullFrom,
  text,
  awaitNoWatches,
  closable,
  inScope
} from "../support/targets.ts"

const Zone = Schema.Struct({ zone: Schema.String })

const idsOf = (instances: ReadonlyArray<ServiceDiscovery.Instance<unknown>>) => instances.map(({ id }) => id)

describeOnServers("service discovery", (it) => {
  it.inChroot("registers, finds, watches and forgets instances", function* ({ another, watches, zk }) {
    const mine = yield* withClient(zk)(ServiceDiscovery.make("/services", { schema: Zone }))
    const theirs = yield* withClient(yield* another())(ServiceDiscovery.make("/services", { schema: Zone }))
    assert.deepStrictEqual(yield* theirs.services, [])
    assert.deepStrictEqual(yield* theirs.instances("mail"), [])
    yield* inScope(function* () {
      const seen = yield* pullFrom(Stream.map(theirs.watch("mail"), idsOf))
      assert.deepStrictEqual(yield* seen, [])
      const first = yield* mine.register({
        name: "mail",
        id: "a",
        address: "10.0.0.7",
        port: 25,
        payload: { zone: "x" }
      })
      assert.deepStrictEqual(yield* seen, ["a"])
      yield* mine.register({ name: "mail", id: "b", payload: { zone: "y" }, enabled: false })
      assert.deepStrictEqual(yield* seen, ["a", "b"])
      yield* mine.register({ name: "web", payload: { zone: "y" } })
      const [a, b] = yield* theirs.instances("mail")
      assert.deepStrictEqual(
        [a?.name, a?.address, a?.port, a?.sslPort, a?.payload, a?.enabled, a?.serviceType, b?.enabled],
        ["mail", "10.0.0.7", 25, undefined, { zone: "x" }, true, "DYNAMIC", false]
      )
      assert.strictEqual(a?.registrationTimeUTC, first.instance.registrationTimeUTC)
      assert.deepStrictEqual(yield* theirs.services, ["mail", "web"])
      yield* first.update({ payload: { zone: "z" } })
      assert.deepStrictEqual(yield* seen, ["a", "b"])
      yield* first.update({ enabled: false })
      assert.deepStrictEqual((yield* theirs.instances("mail"))[0]?.payload, { zone: "z" })
      assert.isFalse((yield* theirs.instances("mail"))[0]?.enabled)
    })
    assert.deepStrictEqual(yield* theirs.instances("mail"), [])
    yield* awaitNoWatches(watches)
  })

  it.inChroot("keeps an instance registered through a deletion and an expiry", function* ({ another, expire, zk }) {
    const own = yield* another()
    const mine = yield* withClient(own)(ServiceDiscovery.make("/services", { schema: Schema.Null }))
    const theirs = yield* withClient(zk)(ServiceDiscovery.make("/services", { schema: Schema.Null }))
    const { path } = yield* mine.register({ name: "mail", id: "a", payload: null })
    assert.strictEqual(path, "/services/mail/a")
    yield* zk.delete(path)
    yield* eventually(theirs.instances("mail"), (all) => all.length === 1)
    const { id } = own.session
    yield* expire(own)
    yield* eventually(zk.stat(path), (stat) => Option.exists(stat, ({ ephemeralOwner }) => ephemeralOwner !== id))
    assert.deepStrictEqual(idsOf(yield* theirs.instances("mail")), ["a"])
  })

  it.inChroot("has instances that outlive their process, and such that stay", function* ({ another, zk }) {
    yield* inScope(function* () {
      const own = yield* another()
      const mine = yield* withClient(own)(ServiceDiscovery.make("/services", { schema: Schema.String }))
      const fixed = yield* mine.register({ name: "db", id: "static", payload: "1", serviceType: "STATIC" })
      yield* mine.register({ name: "db", id: "permanent", payload: "1", serviceType: "PERMANENT" })
      yield* fixed.update({ payload: "2" })
      const found = yield* mine.instances("db")
      assertEach(found, ({ id, payload, serviceType }) => [id, payload, serviceType], [
        ["permanent", "1", "PERMANENT"],
        ["static", "2", "STATIC"]
      ])
      assert.strictEqual(Option.getOrThrow(yield* zk.stat(fixed.path)).ephemeralOwner, 0n)
    })
    const again = yield* withClient(zk)(ServiceDiscovery.make("/services", { schema: Schema.String }))
    assert.deepStrictEqual(idsOf(yield* again.instances("db")), ["permanent"])
    // The same again is no mistake: it is what a restart does.
    yield* again.register({ name: "db", id: "permanent", payload: "2", serviceType: "PERMANENT" })
    assert.strictEqual((yield* again.instances("db"))[0]?.payload, "2")
  })

  it.inChroot(
    "lets a process that is cut off stop, and deletes a static instance in a later session",
    function* ({ breakable, expire, zk }) {
      const { link, zk: mine } = yield* breakable()
      const discovery = yield* withClient(mine)(ServiceDiscovery.make("/services", { schema: Schema.String }))
      const [fixed, close] = yield* closable(
        discovery.register({ name: "db", id: "static", payload: "1", serviceType: "STATIC" })
      )
      yield* zk.delete(fixed.path)
      yield* eventually(zk.exists(fixed.path), (there) => there)
      yield* link.cut
      const late = Effect.scoped(discovery.register({ name: "db", id: "late", payload: "1", serviceType: "STATIC" }))
      const stopped = yield* Effect.timeoutOption(Effect.timeoutOption(late, "100 millis"), "8 seconds")
      assert.isTrue(Option.isSome(stopped))
      yield* expire(mine)
      yield* close
      yield* link.heal
      yield* eventually(getChildrenOrNone(zk, "/services/db"), (names) => names.length === 0)
    }
  )

  it.inChroot(
    "picks in turn, sticks, and leaves out instances that have errors, are disabled or have gone",
    function* ({ watches, zk }) {
      const discovery = yield* withClient(zk)(ServiceDiscovery.make("/services", { schema: Zone }))
      yield* inScope(function* () {
        const turns = yield* discovery.provider("mail", { downInstances: { threshold: 1, timeout: "1 minute" } })
        const sticky = yield* discovery.provider("mail", { strategy: "sticky" })
        const near = yield* discovery.provider("mail", { filter: ({ payload }) => payload.zone === "near" })
        assert.deepStrictEqual(yield* turns.pick, Option.none())
        yield* inScope(function* () {
          for (const id of ["a", "b", "c"]) {
            yield* discovery.register({ name: "mail", id, payload: { zone: id === "b" ? "near" : "far" } })
          }
          yield* discovery.register({ name: "mail", id: "off", payload: { zone: "near" }, enabled: false })
          for (const provider of [turns, sticky]) {
            yield* eventually(provider.candidates, (all) => idsOf(all).join() === "a,b,c")
          }
          const picked = (provider: ServiceDiscovery.Provider<unknown>, count: number) =>
            Effect.map(Effect.replicateEffect(provider.pick, count), (all) =>
              all.map((instance) => Option.getOrThrow(instance).id)
            )
          const six = yield* picked(turns, 6)
          assert.deepStrictEqual(six.slice(0, 3).toSorted(), ["a", "b", "c"])
          assert.deepStrictEqual(six.slice(3), six.slice(0, 3))
          assert.strictEqual(new Set(yield* picked(sticky, 10)).size, 1)
          assert.deepStrictEqual(yield* picked(near, 2), ["b", "b"])
          const [first] = yield* turns.candidates
          yield* turns.noteError(first!)
          assert.deepStrictEqual((yield* picked(turns, 4)).toSorted(), ["b", "b", "c", "c"])
        })
        yield* eventually(turns.candidates, (all) => all.length === 0)
        yield* eventually(sticky.candidates, (all) => all.length === 0)
        assert.deepStrictEqual(yield* sticky.pick, Option.none())
      })
      yield* awaitNoWatches(watches)
    }
  )

  it.inChroot("reads what Curator writes, and writes what Curator reads", function* ({ zk }) {
    const discovery = yield* withClient(zk)(
      ServiceDiscovery.make("/services", { schema: Zone, payloadClass: "com.example.Zone" })
    )
    const curator =
      '{"name":"mail","id":"5ad5a1ab","address":"10.0.0.9","port":8080,"sslPort":null,"payload":' +
      '{"@class":"com.example.Zone","zone":"north"},"registrationTimeUTC":1325129459728,"serviceType":"DYNAMIC",' +
      '"uriSpec":{"parts":[{"value":"scheme","variable":true},{"value":"://","variable":false}]},"enabled":true}'
    const older =
      '{"name":"mail","id":"older","payload":{"zone":"south"},"registrationTimeUTC":1,"serviceType":"STATIC"}'
    yield* zk.createWithParents("/services/mail/5ad5a1ab", { data: curator })
    yield* zk.create("/services/mail/older", { data: older })
    yield* zk.create("/services/mail/foreign", { data: "another client's" })
    const all = yield* discovery.instances("mail")
    assert.deepStrictEqual(
      all.map(({ address, enabled, payload, port, registrationTimeUTC, serviceType, sslPort }) => [
        address,
        port,
        sslPort,
        payload.zone,
        registrationTimeUTC,
        serviceType,
        enabled
      ]),
      [
        ["10.0.0.9", 8080, undefined, "north", 1325129459728, "DYNAMIC", true],
        [undefined, undefined, undefined, "south", 1, "STATIC", true]
      ]
    )
    assert.deepStrictEqual(all[0]?.uriSpec?.parts[1], { value: "://", variable: false })
    const { instance, path } = yield* discovery.register({
      name: "mail",
      address: "10.0.0.7",
      port: 25,
      payload: { zone: "east" }
    })
    assert.match(instance.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const written: unknown = JSON.parse(text(yield* zk.getData(path)))
    // In Curator's own order, and without `enabled`, which its older versions do not know.
    assert.strictEqual(
      JSON.stringify(written),
      `{"name":"mail","id":"${instance.id}","address":"10.0.0.7","port":25,"sslPort":null,` +
        `"payload":{"@class":"com.example.Zone","zone":"east"},"registrationTimeUTC":${instance.registrationTimeUTC},` +
        `"serviceType":"DYNAMIC","uriSpec":null}`
    )
  })

  it.inChroot("refuses names that are paths, before anything is sent", function* ({ zk }) {
    const discovery = yield* withClient(zk)(ServiceDiscovery.make("/services", { schema: Schema.Null }))
    const wrong = [
      { name: "a/b", payload: null },
      { name: "", payload: null },
      { name: "mail", id: "..", payload: null },
      { name: "mail", id: "x/y", payload: null }
    ]
    for (const registrant of wrong) yield* failure(discovery.register(registrant), "InvalidArgument")
    yield* failure(discovery.instances("a/b"), "InvalidArgument")
    yield* failure(discovery.provider("a/b"), "InvalidArgument")
    yield* failure(discovery.provider("mail", { downInstances: { threshold: 0 } }), "InvalidArgument")
    yield* failure(withClient(zk)(ServiceDiscovery.make("services", { schema: Schema.Null })), "InvalidArgument")
    assert.isFalse(yield* zk.exists("/services"))
  })
})

describe("a provider", () => {
  const instances = ["a", "b", "c"].map((id) => new ServiceDiscovery.Instance({ name: "mail", id, payload: null }))

  itEffect("leaves out an instance after so many errors, and takes it back when the time is over", function* () {
    const provider = yield* makeProvider("mail", Effect.succeed(instances), {
      downInstances: { threshold: 2, timeout: "30 seconds" }
    })
    const candidates = Effect.map(provider.candidates, idsOf)
    yield* provider.noteError(instances[0]!)
    assert.deepStrictEqual(yield* candidates, ["a", "b", "c"])
    yield* TestClock.adjust("10 seconds")
    yield* provider.noteError(instances[0]!)
    assert.deepStrictEqual(yield* candidates, ["b", "c"])
    yield* TestClock.adjust("19 seconds")
    assert.deepStrictEqual(yield* candidates, ["b", "c"])
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(yield* candidates, ["a", "b", "c"])
    // Errors that lie far apart do not count together.
    yield* provider.noteError(instances[1]!)
    yield* TestClock.adjust("31 seconds")
    yield* provider.noteError(instances[1]!)
    assert.deepStrictEqual(yield* candidates, ["a", "b", "c"])
    for (const instance of instances) {
      yield* provider.noteError(instance)
      yield* provider.noteError(instance)
    }
    assert.deepStrictEqual(yield* provider.pick, Option.none())
  })

  itEffect("that sticks takes another when its own is down, and any other is any", function* () {
    const sticky = yield* makeProvider("mail", Effect.succeed(instances), {
      strategy: "sticky",
      downInstances: { threshold: 1 }
    })
    const first = Option.getOrThrow(yield* sticky.pick)
    assert.strictEqual(Option.getOrThrow(yield* sticky.pick).id, first.id)
    yield* sticky.noteError(first)
    const second = Option.getOrThrow(yield* sticky.pick)
    assert.notStrictEqual(second.id, first.id)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(Option.getOrThrow(yield* sticky.pick).id, second.id)
    const random = yield* makeProvider("mail", Effect.succeed(instances), { strategy: "random" })
    const picked = yield* Effect.replicateEffect(random.pick, 100)
    assert.strictEqual(new Set(picked.map((one) => Option.getOrThrow(one).id)).size, 3)
  })

  itEffect("decodes what did not change once", function* () {
    let decoded = 0
    const Counted = Schema.String.check(
      Schema.makeFilter(() => {
        decoded++
        return true
      })
    )
    const data = instanceCodec(Counted, undefined)
    const bytes = yield* data.encode(new ServiceDiscovery.Instance({ name: "mail", id: "a", payload: "x" }))
    const znode = { data: bytes } as DataAndStat
    decoded = 0
    const [one] = yield* data.decodeAll("/mail", new Map([["a", znode]]))
    const [two] = yield* data.decodeAll("/mail", new Map([["a", znode]]))
    assert.strictEqual(one, two)
    assert.strictEqual(decoded, 1)
  })
})
