import { assert, describe, it } from "@effect/vitest"
import { itEffect } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { runInNewContext } from "node:vm"
import { Acl, type InvalidArgument, Op } from "../../src/index.ts"
import type { Service } from "../../src/ZooKeeper.ts"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { failure, assertEach } from "../support/clients.ts"

type Call = (zk: Service) => Effect.Effect<unknown, { readonly _tag: string } | InvalidArgument>

const paths: Record<string, (path: string) => Call> = {
  create: (path) => (zk) => zk.create(path),
  createWithStat: (path) => (zk) => zk.createWithStat(path),
  ensurePath: (path) => (zk) => zk.ensurePath(path),
  createWithParents: (path) => (zk) => zk.createWithParents(path),
  createOrSet: (path) => (zk) => zk.createOrSet(path, ""),
  exists: (path) => (zk) => zk.exists(path),
  stat: (path) => (zk) => zk.stat(path),
  get: (path) => (zk) => zk.get(path),
  getData: (path) => (zk) => zk.getData(path),
  set: (path) => (zk) => zk.set(path, ""),
  setData: (path) => (zk) => zk.setData(path, ""),
  update: (path) => (zk) => zk.update(path, () => ""),
  delete: (path) => (zk) => zk.delete(path),
  deleteAll: (path) => (zk) => zk.deleteAll(path),
  getChildren: (path) => (zk) => zk.getChildren(path),
  getChildrenWithStat: (path) => (zk) => zk.getChildrenWithStat(path),
  getAcl: (path) => (zk) => zk.getAcl(path),
  setAcl: (path) => (zk) => zk.setAcl(path, Acl.open),
  sync: (path) => (zk) => zk.sync(path),
  countDescendants: (path) => (zk) => zk.countDescendants(path),
  transaction: (path) => (zk) => zk.transaction([Op.check("/a"), Op.delete(path)]),
  read: (path) => (zk) => zk.read([Op.get("/a"), Op.get(path)]),
  getAndWatch: (path) => (zk) => zk.getAndWatch(path),
  existsAndWatch: (path) => (zk) => zk.existsAndWatch(path),
  getChildrenAndWatch: (path) => (zk) => zk.getChildrenAndWatch(path),
  events: (path) => (zk) => Stream.runDrain(zk.events(path)),
  dataChanges: (path) => (zk) => Stream.runDrain(zk.dataChanges(path)),
  childrenChanges: (path) => (zk) => Stream.runDrain(zk.childrenChanges(path)),
  withChroot: (path) => (zk) => zk.withChroot(`${path}/`)
}

const refused = Effect.fnUntraced(function* (call: Call) {
  const { asked, zk } = yield* makeScriptedClient(() => Effect.die("asked"))
  const error = yield* failure(call(zk), "InvalidArgument")
  assert.deepStrictEqual(asked, [])
  return error as InvalidArgument
})

describe("a mistake in an argument", () => {
  for (const [name, call] of Object.entries(paths)) {
    itEffect(`in the path of ${name} fails before anything is sent, and names value and rule`, function* () {
      for (const path of ["relative", "/a//b", "/a/./b"]) {
        const error = yield* refused(call(path))
        assert.include(error.value, path)
        assert.match(error.rule, /^a path must/)
        assert.include(error.message, path)
      }
    })
  }

  const cases: Record<string, readonly [call: Call, argument: string]> = {
    "a version that is no integer": [(zk) => zk.set("/a", "", 1.5), "version"],
    "a version below 32 bits": [(zk) => zk.setData("/a", "", { version: -2_147_483_649 }), "version"],
    "a version beyond 32 bits": [(zk) => zk.delete("/a", { version: 2 ** 31 }), "version"],
    "a version of an ACL": [(zk) => zk.setAcl("/a", Acl.open, { version: Number.NaN }), "version"],
    "a version in a transaction": [(zk) => zk.transaction([Op.check("/a", 2 ** 31)]), "ops[0].version"],
    "an empty ACL": [(zk) => zk.create("/a", { acl: [] }), "acl"],
    "a malformed ACL": [(zk) => zk.setAcl("/a", [{ perms: 1, scheme: "world", id: "me" }]), "acl[0].id"],
    "an ACL of parents": [(zk) => zk.createWithParents("/a/b", { parentAcl: [] }), "parentAcl"],
    "an ACL in a transaction": [(zk) => zk.transaction([Op.create("/a", { acl: [] })]), "ops[0].acl"],
    "a ttl without its mode": [(zk) => zk.create("/a", { ttl: 5 }), "ttl"],
    "a mode without its ttl": [(zk) => zk.create("/a", { mode: "persistentWithTtl" }), "ttl"],
    "a ttl of nothing": [(zk) => zk.create("/a", { mode: "persistentWithTtl", ttl: 0 }), "ttl"],
    "a ttl of too much": [(zk) => zk.create("/a", { mode: "persistentWithTtl", ttl: 2 ** 41 }), "ttl"],
    "a ttl of parts of a millisecond": [(zk) => zk.create("/a", { mode: "persistentWithTtl", ttl: 0.5 }), "ttl"],
    "an unknown mode": [(zk) => zk.create("/a", JSON.parse('{"mode":"eternal"}')), "mode"],
    "data of another type": [(zk) => zk.set("/a", JSON.parse("17")), "data"],
    "data of a create": [(zk) => zk.create("/a", JSON.parse('{"data":{}}')), "data"],
    "data that an update makes out of nothing": [(zk) => zk.createOrSet("/a", JSON.parse("null")), "data"],
    "deleting the root": [(zk) => zk.delete("/"), "path"],
    "deleting the root in a transaction": [(zk) => zk.transaction([Op.delete("/")]), "ops[0].path"],
    "an idempotent sequential create": [
      (zk) => zk.create("/a-", { mode: "persistentSequential", idempotent: true }),
      "idempotent"
    ],
    "a sequential createOrSet": [(zk) => zk.createOrSet("/a-", "", { mode: "ephemeralSequential" }), "mode"],
    "a relative prefix": [(zk) => zk.getEphemerals("a"), "prefix"],
    "an empty scheme": [(zk) => zk.addAuth("", Redacted.make("secret")), "scheme"]
  }
  for (const [name, [call, argument]] of Object.entries(cases)) {
    it.effect(`as ${name} fails before anything is sent`, () =>
      Effect.map(refused(call), (error) => assert.strictEqual(error.argument, argument))
    )
  }
})

describe("a request that is sent", () => {
  itEffect("may have bytes of another realm", function* () {
    const { asked, zk } = yield* makeScriptedClient(({ request }) => Effect.succeed({ path: request.path }))
    const foreign: Uint8Array = runInNewContext("new Uint8Array([1, 2])")
    assert.isFalse(foreign instanceof Uint8Array)
    yield* zk.create("/a", { data: foreign })
    assert.strictEqual(asked.length, 1)
  })

  itEffect("has the operation of its mode, with no flag of another", function* () {
    const { asked, zk } = yield* makeScriptedClient(({ request }) => Effect.succeed({ path: request.path, stat }), {
      chroot: "/app"
    })
    yield* zk.create("/a")
    yield* zk.createWithStat("/a", { mode: "ephemeral" })
    yield* zk.create("/a", { mode: "container" })
    yield* zk.create("/a", { mode: "persistentWithTtl", ttl: "1 second" })
    yield* zk.create("/", { mode: "persistentSequential" })
    assertEach(asked, ({ operation, request }) => [operation, request.path, request.flags, request.ttl], [
      ["create", "/app/a", 0, undefined],
      ["create2", "/app/a", 1, undefined],
      ["createContainer", "/app/a", 4, undefined],
      ["createTTL", "/app/a", 5, 1000n],
      ["create", "/app/", 2, undefined]
    ])
  })

  itEffect("is nothing for a transaction without operations", function* () {
    const { asked, zk } = yield* makeScriptedClient(() => Effect.die("asked"))
    assert.deepStrictEqual(yield* zk.transaction([]), [])
    assert.deepStrictEqual(yield* zk.read([]), [])
    assert.deepStrictEqual(asked, [])
  })

  itEffect("has an empty value for null, and the path under the chroot alone", function* () {
    const { asked, zk } = yield* makeScriptedClient(() => Effect.succeed({ data: null, stat }), { chroot: "/app" })
    assert.deepStrictEqual(yield* zk.getData("/"), new Uint8Array(0))
    yield* zk.getConfig
    assertEach(asked, ({ request }) => request.path, ["/app", "/zookeeper/config"])
  })
})
