import { itEffect, itLive, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { atOnce } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import { ZNode, ZooKeeper } from "../../src/index.ts"
import { makeScriptedClient, stat } from "../support/scriptedClient.ts"
import { itInChroot, connect, connectFresh, failure, text } from "../support/clients.ts"
import { itConnected, rejection } from "../support/promises.ts"

const ServiceConfig = ZNode.make({
  path: "/config/:service",
  schema: Schema.Struct({ replicas: Schema.Int, owner: Schema.String })
})

const Count = ZNode.make({ path: "/count", schema: Schema.NumberFromString, codec: ZNode.text })

const mail = { service: "mail" }

/** A client with `/config`. */
const connectConfig = Effect.fnUntraced(function* (name: string) {
  const connected = yield* connectFresh(name)
  yield* connected.zk.create("/config")
  return { ...connected, config: ServiceConfig.on(connected.zk) }
})

/** A live test of a typed znode below `/config`. */
const itWithConfig = testWith(it.live, connectConfig("znode"))

describe("a typed znode on a real server", () => {
  itWithConfig("is created, read, written and deleted by value", function* ({ config, zk }) {
    assert.isFalse(yield* config.exists(mail))
    assert.isTrue(Option.isNone(yield* config.getOption(mail)))
    yield* failure(config.get(mail), "NoNode")

    assert.strictEqual(yield* config.create(mail, { replicas: 2, owner: "ops" }), "/config/mail")
    assert.strictEqual(text(yield* zk.getData("/config/mail")), `{"replicas":2,"owner":"ops"}`)
    yield* failure(config.create(mail, { replicas: 2, owner: "ops" }), "NodeExists")

    const first = yield* config.get(mail)
    assert.deepStrictEqual(first.value, { replicas: 2, owner: "ops" })
    assert.strictEqual((yield* config.set(mail, { replicas: 3, owner: "ops" }, first.stat.version)).version, 1)
    yield* failure(config.set(mail, { replicas: 4, owner: "ops" }, first.stat.version), "BadVersion")
    assert.strictEqual(Option.getOrThrow(yield* config.getOption(mail)).value.replicas, 3)

    assert.strictEqual((yield* config.createOrSet(mail, { replicas: 5, owner: "dev" })).version, 2)
    yield* config.createOrSet({ service: "web" }, { replicas: 1, owner: "dev" })
    assert.deepStrictEqual((yield* config.list({})).toSorted(), ["mail", "web"])

    yield* config.delete(mail, { version: 2 })
    assert.isFalse(yield* config.exists(mail))
  })

  itWithConfig("works on the client that the service gives", function* ({ zk }) {
    const created = ServiceConfig.create(mail, { replicas: 2, owner: "ops" })
    assert.strictEqual(yield* Effect.provideService(created, ZooKeeper.ZooKeeper, zk), "/config/mail")
  })

  itInChroot("takes the options of a create, sequential modes included", function* ({ zk }) {
    const job = ZNode.make({ path: "/job-", schema: Schema.String }).on(zk)
    assert.strictEqual(yield* job.create({}, "one", { mode: "persistentSequential" }), "/job-0000000000")
    assert.strictEqual(text(yield* zk.getData("/job-0000000000")), `"one"`)
  })

  itInChroot("keeps values without a form in JSON, and raw forms by a codec", function* ({ zk }) {
    const Event = Schema.Struct({ at: Schema.Date, size: Schema.BigInt, note: Schema.Option(Schema.String) })
    const event = ZNode.make({ path: "/event", schema: Event }).on(zk)
    const value = { at: new Date("2026-01-02T03:04:05.678Z"), size: 2n ** 70n, note: Option.some("hi") }
    yield* event.create({}, value)
    assert.deepStrictEqual((yield* event.get({})).value, value)

    const count = Count.on(zk)
    yield* count.create({}, 41)
    assert.strictEqual(text(yield* zk.getData("/count")), "41")
    assert.strictEqual((yield* count.update({}, (value) => value + 1)).value, 42)

    const raw = ZNode.make({ path: "/raw", schema: Schema.Uint8Array, codec: ZNode.bytes }).on(zk)
    yield* raw.create({}, Uint8Array.of(0, 255))
    assert.deepStrictEqual((yield* raw.get({})).value, Uint8Array.of(0, 255))
  })

  itWithConfig("fails with ZNodeDecodeError for invalid data, and never with a defect", function* ({ config, zk }) {
    yield* zk.create("/config/mail")
    const wrong: ReadonlyArray<readonly [data: string | Uint8Array, reason: RegExp]> = [
      ["", /JSON/],
      ["{", /JSON/],
      [Uint8Array.of(0x22, 0xff, 0x22), /not valid|invalid/i],
      [`{"replicas":1.5,"owner":"ops"}`, /integer[^]*replicas/],
      [`{"replicas":1}`, /owner/]
    ]
    for (const [data, reason] of wrong) {
      yield* zk.set("/config/mail", data)
      for (const error of [
        yield* failure(config.get(mail), "ZNodeDecodeError"),
        yield* failure(config.getOption(mail), "ZNodeDecodeError"),
        yield* failure(
          config.update(mail, (value) => value),
          "ZNodeDecodeError"
        ),
        yield* failure(Stream.runHead(config.changes(mail)), "ZNodeDecodeError")
      ]) {
        assert.match(error.message, /\/config\/mail/)
        assert.match(error.message, reason)
      }
    }
  })

  itEffect("shows nothing of the data in its errors, however they are printed", function* () {
    const secret = "hunter2"
    const schemas: ReadonlyArray<Schema.Codec<unknown, unknown>> = [
      Schema.Struct({ key: Schema.Number }),
      Schema.Struct({ key: Schema.BigInt }),
      Schema.Struct({ key: Schema.Date }),
      Schema.Struct({ key: Schema.URL }),
      Schema.Struct({ key: Schema.Literals(["a", "b"]) }),
      Schema.Struct({ key: Schema.String.check(Schema.isMinLength(20)) }),
      Schema.Struct({ key: Schema.String.check(Schema.isPattern(/^x/)) }),
      Schema.Struct({ key: Schema.fromJsonString(Schema.Int) }),
      Schema.Union([Schema.Struct({ key: Schema.Boolean }), Schema.Struct({ key: Schema.Null })])
    ]
    const logged: Array<unknown> = []
    const formats = [Logger.formatJson, Logger.formatLogFmt, Logger.formatSimple, Logger.formatStructured]
    const loggers = Logger.layer(formats.map((format) => Logger.map(format, (line: unknown) => void logged.push(line))))
    for (const data of [secret, `{"key":"${secret}" oops`, `{"key":"${secret}"}`]) {
      const { zk } = yield* makeScriptedClient(() => Effect.succeed({ data: new TextEncoder().encode(data), stat }))
      for (const schema of schemas) {
        const error = yield* failure(ZNode.make({ path: "/s", schema }).on(zk).get({}), "ZNodeDecodeError")
        yield* Effect.provide(Effect.logError(error, Cause.fail(error)), loggers)
        logged.push(error, Cause.fail(error), error.cause, error.message, error.stack, Cause.pretty(Cause.fail(error)))
        logged.push(JSON.stringify(error), JSON.stringify(Cause.fail(error)))
      }
    }
    const printed = logged.map((line) =>
      typeof line === "string" ? line : inspect(line, { depth: 20, showHidden: true })
    )
    assert.lengthOf(printed, 3 * schemas.length * (formats.length + 8))
    assert.deepStrictEqual(
      printed.filter((line) => line.includes(secret)),
      []
    )
    const { zk } = yield* makeScriptedClient(() => Effect.succeed({ data: new TextEncoder().encode(secret), stat }))
    const error = yield* failure(ServiceConfig.on(zk).get(mail), "ZNodeDecodeError")
    assert.strictEqual(
      error.message,
      "the data of /config/mail is not what its schema expects: it is not JSON (7 bytes)"
    )
  })

  itWithConfig("refuses a value that its schema refuses before anything is sent", function* ({ config, zk }) {
    const error = yield* failure(config.create(mail, { replicas: 1.5, owner: "ops" }), "InvalidArgument")
    assert.strictEqual(error.argument, "value")
    assert.match(error.rule, /integer/)
    yield* failure(config.createOrSet(mail, { replicas: 1.5, owner: "ops" }), "InvalidArgument")
    assert.isFalse(yield* zk.exists("/config/mail"))
    yield* config.create(mail, { replicas: 1, owner: "ops" })
    yield* failure(
      config.update(mail, (value) => ({ ...value, replicas: 0.5 })),
      "InvalidArgument"
    )
    assert.strictEqual((yield* config.get(mail)).stat.version, 0)
  })

  itEffect("refuses a value without a form in JSON, whatever its schema says", function* () {
    const { asked, zk } = yield* makeScriptedClient(() => Effect.die("asked"))
    const anything = ZNode.make({ path: "/any", schema: Schema.Any }).on(zk)
    for (const value of [undefined, () => 1, Symbol("x")]) {
      const error = yield* failure(anything.set({}, value), "InvalidArgument")
      assert.strictEqual(error.argument, "value")
      assert.match(error.rule, /JSON/)
    }
    assert.deepStrictEqual(asked, [])
  })

  itWithConfig("refuses a parameter that is not one name", function* ({ config, zk }) {
    for (const service of ["", ".", "..", "a/b", "/", "a\u0000b"]) {
      const error = yield* failure(config.get({ service }), "InvalidArgument")
      assert.strictEqual(error.argument, "service in /config/:service")
      assert.strictEqual(error.value, service)
    }
    assert.strictEqual(yield* config.pathOf({ service: "a:b %2F" }), "/config/a:b %2F")
    const broken = ZNode.make({ path: "config/", schema: Schema.String }).on(zk)
    assert.strictEqual((yield* failure(broken.get({}), "InvalidArgument")).argument, "path")
  })

  itInChroot("counts every one of eight concurrent updates", function* ({ connectString, zk }) {
    const other = yield* connect({ servers: connectString })
    yield* Count.on(zk).create({}, 0)
    const updates = Array.from({ length: 8 }, (_, index) =>
      Count.on(index % 2 === 0 ? zk : other).update({}, (value) => value + 1)
    )
    const written = yield* atOnce(updates)
    assert.deepStrictEqual(written.map(({ value }) => value).toSorted(), [1, 2, 3, 4, 5, 6, 7, 8])
    const last = yield* Count.on(zk).get({})
    assert.strictEqual(last.value, 8)
    assert.strictEqual(last.stat.version, 8)
  })

  itInChroot("gives up an update when its schedule ends", function* ({ zk }) {
    const count = Count.on(zk)
    yield* count.create({}, 0)
    // A look at an old version each time: the write meets a newer one.
    const behind = Count.on({ ...zk, get: (path) => Effect.tap(zk.get(path), () => Effect.orDie(zk.set(path, "7"))) })
    let attempts = 0
    const update = behind.update({}, (value) => value + ++attempts, { retry: Schedule.recurs(2) })
    yield* failure(update, "BadVersion")
    assert.strictEqual(attempts, 3)
  })

  itLive("shows each newer value of a stream across a restart of the server", function* () {
    const server = yield* ZooKeeperServer.make()
    const watcher = yield* connect({ servers: server.connectString })
    const writer = yield* connect({ servers: server.connectString })
    const seen = yield* Queue.unbounded<number | undefined>()
    const watching = yield* Count.on(watcher)
      .changes({})
      .pipe(
        Stream.map(Option.match({ onNone: () => undefined, onSome: ({ value }) => value })),
        Stream.runForEach((value) => Queue.offer(seen, value)),
        Effect.forkScoped
      )
    assert.isUndefined(yield* Queue.take(seen))
    yield* Count.on(writer).create({}, 1)
    assert.strictEqual(yield* Queue.take(seen), 1)
    const { id } = watcher.session
    yield* server.restart
    yield* Effect.retry(Count.on(writer).set({}, 2), Schedule.spaced("20 millis"))
    assert.strictEqual(yield* Queue.take(seen), 2)
    assert.strictEqual(watcher.session.id, id)
    yield* Count.on(writer).delete({})
    assert.isUndefined(yield* Queue.take(seen))
    yield* Fiber.interrupt(watching)
  })

  itConnected("gives Promises, of values as the schema has them", async ({ zk }) => {
    const Note = ZNode.make({ path: "/:name", schema: Schema.Struct({ text: Schema.Option(Schema.String) }) })
    const notes = zk.znode(Note)
    assert.isUndefined(await notes.getOption({ name: "a" }))
    await notes.create({ name: "a" }, { text: Option.none() })
    assert.deepStrictEqual((await notes.get({ name: "a" })).value, { text: Option.none() })
    for await (const change of notes.changes({ name: "a" })) {
      if (change !== undefined && Option.isSome(change.value.text)) {
        assert.strictEqual(change.value.text.value, "hi")
        break
      }
      await notes.update({ name: "a" }, () => ({ text: Option.some("hi") }))
    }
    assert.deepStrictEqual(await notes.list({}), ["a"])
    await zk.set("/a", "no JSON")
    assert.instanceOf(await rejection(notes.get({ name: "a" })), ZNode.ZNodeDecodeError)
  })
})

describe("the data of a typed znode", () => {
  itEffect("is encoded and decoded without a znode too, as the znode does it", function* () {
    const config = ZNode.dataCodec(Schema.Struct({ replicas: Schema.Int }))
    assert.strictEqual(text(yield* config.encode({ replicas: 2 })), `{"replicas":2}`)
    assert.deepStrictEqual(yield* config.decode("/config", new TextEncoder().encode(`{"replicas":3}`)), {
      replicas: 3
    })
    assert.strictEqual((yield* failure(config.decode("/config", new Uint8Array()), "ZNodeDecodeError")).path, "/config")
    yield* failure(config.encode({ replicas: 0.5 }), "InvalidArgument")
    const count = ZNode.dataCodec(Schema.NumberFromString, ZNode.text)
    assert.strictEqual(text(yield* count.encode(7)), "7")
    assert.strictEqual(yield* count.decode("/count", new TextEncoder().encode("8")), 8)
  })
})
