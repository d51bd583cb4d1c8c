/** Invalid options are refused before anything is sent, in both APIs. */
import { assert, describe, it } from "@effect/vitest"
import { itEffect, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Acl, InvalidArgument, Op, PromiseClient, ZNode, ZooKeeper } from "../../src/index.ts"
import * as TreeWalk from "../../src/TreeWalk.ts"
import { parameterCounts } from "../support/parameterCounts.ts"
import { makeScriptedClient } from "../support/scriptedClient.ts"
import { failure } from "../support/clients.ts"

type Call = (zk: ZooKeeper.Service, options: never) => Effect.Effect<unknown, { readonly _tag: string }>

const typed = ZNode.make({ path: "/a", schema: Schema.String })

/** Every method that has options. */
const methods: Record<string, Call> = {
  create: (zk, options) => zk.create("/a", options),
  createWithStat: (zk, options) => zk.createWithStat("/a", options),
  createWithParents: (zk, options) => zk.createWithParents("/a", options),
  createOrSet: (zk, options) => zk.createOrSet("/a", "", options),
  ensurePath: (zk, options) => zk.ensurePath("/a", options),
  setData: (zk, options) => zk.setData("/a", "", options),
  update: (zk, options) => zk.update("/a", () => "", options),
  setAcl: (zk, options) => zk.setAcl("/a", Acl.open, options),
  delete: (zk, options) => zk.delete("/a", options),
  reconfigure: (zk, options) => zk.reconfigure(options),
  events: (zk, options) => Stream.runDrain(zk.events("/a", options)),
  "a typed znode's create": (zk, options) => typed.on(zk).create({}, "", options),
  "a typed znode's createOrSet": (zk, options) => typed.on(zk).createOrSet({}, "", options),
  "a typed znode's update": (zk, options) => typed.on(zk).update({}, (value) => value, options),
  "a typed znode's delete": (zk, options) => typed.on(zk).delete({}, options),
  "a walk": (zk, options) => Stream.runDrain(TreeWalk.walk(zk, "/a", options)),
  "a transaction's create": (zk, options) => zk.transaction([Op.create("/a", options)]),
  "a transaction's setData": (zk, options) => zk.transaction([Op.check("/a"), Op.setData("/a", "", options)]),
  "a transaction's delete": (zk, options) => zk.transaction([Op.check("/a"), Op.delete("/a", options)])
}

const wrong: ReadonlyArray<readonly [name: string, options: unknown, value: string]> = [
  ["a number", 0, "0"],
  ["text", "data", "a string"],
  ["null", null, "null"],
  ["an array", [], "an array"],
  ["a function", () => {}, "a function"],
  ["an unknown key", { verison: 0 }, "verison"],
  ["a key of every object", { constructor: 0 }, "constructor"]
]

const itScripted = testWith(
  it.effect,
  makeScriptedClient(() => Effect.die("asked"))
)

describe("invalid options", () => {
  for (const [method, call] of Object.entries(methods)) {
    itScripted(`of ${method} are refused before anything is sent`, function* ({ asked, zk }) {
      for (const [, options, value] of wrong) {
        // null is what some write for no servers at all; both are refused.
        if (method === "reconfigure" && options === null) continue
        const error = (yield* failure(call(zk, options as never), "InvalidArgument")) as InvalidArgument
        assert.strictEqual(error.value, value)
        assert.match(error.argument, /(?:^|\.)options$/)
        assert.match(error.rule, /as in \{ .+ \}$/)
      }
      assert.deepStrictEqual(asked, [])
    })
  }

  itEffect("of the client and its layers fail the layer", function* () {
    for (const [, options] of wrong) {
      for (const layer of [ZooKeeper.layer(options as never), ZooKeeper.layerConfig({}, options as never)]) {
        const error = yield* failure(Effect.scoped(Layer.build(Layer.fresh(layer))), "InvalidArgument")
        assert.strictEqual((error as InvalidArgument).argument, "options")
      }
      const config = ZooKeeper.layerConfig(options as never)
      const error = yield* failure(Effect.scoped(Layer.build(Layer.fresh(config))), "InvalidArgument")
      assert.strictEqual((error as InvalidArgument).argument, "config")
    }
  })

  it("of connect reject", async () => {
    for (const [, options, value] of wrong) {
      const error: unknown = await PromiseClient.connect("127.0.0.1:1", options as never).catch((error) => error)
      assert.instanceOf(error, InvalidArgument)
      assert.strictEqual(error.value, value)
    }
    const typo: unknown = await PromiseClient.connect("127.0.0.1:1", { sesionTimeout: 1 } as never).catch((e) => e)
    assert.instanceOf(typo, InvalidArgument)
    assert.include(typo.message, "sessionTimeout")
  })

  it("of connect that are invalid durations are refused", async () => {
    for (const option of [
      "sessionTimeout",
      "requestTimeout",
      "connectTimeout",
      "ownershipMargin",
      "closeTimeout"
    ] as const) {
      for (const duration of [Number.NaN, -1, {}, [], { second: 1 }, null, "soon", Number.NEGATIVE_INFINITY, true]) {
        const options = { [option]: duration } as PromiseClient.Options
        const error: unknown = await PromiseClient.connect("127.0.0.1:1", options).catch((error: unknown) => error)
        assert.instanceOf(error, InvalidArgument)
        assert.strictEqual(error.argument, option)
      }
    }
  })

  itScripted("say where a signal belongs", function* ({ zk }) {
    const { signal } = new AbortController()
    const error = yield* failure(zk.delete("/a", { version: 1, signal } as never), "InvalidArgument")
    assert.match((error as InvalidArgument).rule, /separate parameter/)
  })

  itEffect("are not those that are undefined, or empty", function* () {
    const { asked, zk } = yield* makeScriptedClient(() => Effect.void)
    yield* zk.delete("/a", undefined)
    yield* zk.delete("/a", {})
    yield* zk.delete("/a", { version: undefined })
    assert.strictEqual(asked.length, 3)
  })
})

describe("a value that is not an operation", () => {
  itScripted("fails a transaction and a joint read", function* ({ zk }) {
    for (const ops of [undefined, {}, "ops", [{ _tag: "Get", path: "/a" }], [undefined], ["/a"]]) {
      yield* failure(zk.transaction(ops as never), "InvalidArgument")
    }
    for (const ops of [undefined, {}, "ops", [Op.check("/a")], ["/a"]]) {
      yield* failure(zk.read(ops as never), "InvalidArgument")
    }
  })
})

describe("the parameters of a call in the Promise API", () => {
  const client = Effect.gen(function* () {
    const { zk } = yield* makeScriptedClient(() => Effect.die("asked"))
    return yield* Effect.acquireRelease(
      Effect.promise(() => PromiseClient.fromLayer(Layer.succeed(ZooKeeper.ZooKeeper, zk))),
      (zk) => Effect.promise(() => zk.close())
    )
  })

  itEffect("that are the options of a typed znode are checked, too", function* () {
    const znode = (yield* client).znode(typed)
    for (const [, options, value] of wrong) {
      const calls = [
        () => znode.create({}, "", options as never),
        () => znode.update({}, (value) => value, options as never)
      ]
      for (const ask of calls) {
        const error: unknown = yield* Effect.promise(() => ask().catch((error: unknown) => error))
        assert.instanceOf(error, InvalidArgument)
        assert.deepStrictEqual([error.argument, error.value], ["options", value])
      }
    }
  })

  itEffect("beyond those that a method declares are refused, unless they are a signal's", function* () {
    const zk = yield* client
    const callback = (() => {}) as never
    for (const call of [callback, "x" as never, { signl: 1 } as never, { signal: 1 } as never, null as never]) {
      const calls = [
        () => zk.getChildren("/", call),
        () => zk.exists("/", call),
        () => zk.set("/a", "", 1, call),
        () => zk.getConfig(call),
        () => zk.transaction([], call),
        () => zk.withChroot("/a", call)
      ]
      for (const ask of calls) {
        const error: unknown = yield* Effect.promise(() => ask().catch((error: unknown) => error))
        assert.instanceOf(error, InvalidArgument)
        assert.strictEqual(error.argument, "call")
      }
      const loop = async () => {
        for await (const _ of zk.dataChanges("/a", call)) return "begun"
        return "ended"
      }
      assert.instanceOf(yield* Effect.promise(() => loop().catch((error: unknown) => error)), InvalidArgument)
    }
  })

  itEffect("are counted by the methods of the service, none of which has a default", function* () {
    const { zk } = yield* makeScriptedClient(() => Effect.die("asked"))
    const lengths: Record<string, number> = {}
    for (const [name, member] of Object.entries(zk)) {
      if (typeof member === "function") lengths[name] = member.length
    }
    assert.deepStrictEqual(lengths, { ...parameterCounts })
  })

  itEffect("of an abort signal are taken", function* () {
    const { zk } = yield* makeScriptedClient(() => Effect.succeed({ children: [], stat: {} }))
    const client = yield* Effect.promise(() => PromiseClient.fromLayer(Layer.succeed(ZooKeeper.ZooKeeper, zk)))
    const { signal } = new AbortController()
    assert.deepStrictEqual(yield* Effect.promise(() => client.getChildren("/", { signal })), [])
    yield* Effect.promise(() => client.close())
  })
})
