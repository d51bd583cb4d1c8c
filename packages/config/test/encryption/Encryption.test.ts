import { ZNode } from "@effect-zookeeper/client"
import { awaitCondition, failure, text } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import * as Crypto from "node:crypto"
import * as Util from "node:util"
import * as Encryption from "../../src/Encryption.ts"
import * as LiveConfig from "../../src/LiveConfig.ts"
import { describeOnServers, plant, withClient } from "../support/targets.ts"

const newKey = (id: string): Encryption.Key => ({ id, secret: Redacted.make(new Uint8Array(Crypto.randomBytes(32))) })
const secret = "correct horse battery staple"

describe("encryption", () => {
  it.effect("gives back what it has encrypted, and never the same bytes twice", () =>
    Effect.gen(function* () {
      const encryption = yield* Encryption.make({ keys: [newKey("a")] })
      for (const plain of ["", "x", secret, "é".repeat(10_000)]) {
        const one = yield* encryption.encrypt(plain)
        const other = yield* encryption.encrypt(plain)
        assert.notDeepEqual(one, other)
        assert.isTrue(encryption.isEncrypted(one))
        assert.strictEqual(text(yield* encryption.decrypt(one)), plain)
        assert.strictEqual(text(yield* encryption.decrypt(other)), plain)
      }
      assert.isFalse(encryption.isEncrypted(new TextEncoder().encode(secret)))
    })
  )

  it.effect("refuses every change of one bit, every shorter form, and another context", () =>
    Effect.gen(function* () {
      const encryption = yield* Encryption.make({ keys: [newKey("a")] })
      const data = yield* encryption.encrypt("secret", "/a")
      for (let bit = 0; bit < data.byteLength * 8; bit++) {
        const changed = data.slice()
        changed[bit >> 3]! ^= 1 << (bit & 7)
        yield* failure(encryption.decrypt(changed, "/a"), "DecryptionError")
      }
      for (let size = 0; size < data.byteLength; size++) {
        yield* failure(encryption.decrypt(data.slice(0, size), "/a"), "DecryptionError")
      }
      for (const context of [undefined, "", "/b"]) {
        assert.strictEqual(
          (yield* failure(encryption.decrypt(data, context), "DecryptionError")).reason,
          "NotAuthentic"
        )
      }
    })
  )

  it.effect("decrypts by every key, and encrypts by the first", () =>
    Effect.gen(function* () {
      const [old, fresh] = [newKey("old"), newKey("fresh")]
      const before = yield* Encryption.make({ keys: [old] })
      const during = yield* Encryption.make({ keys: [fresh, old] })
      const after = yield* Encryption.make({ keys: [fresh] })
      const data = yield* before.encrypt("secret")
      assert.strictEqual(text(yield* during.decrypt(data)), "secret")
      assert.strictEqual(text(yield* after.decrypt(yield* during.encrypt("secret"))), "secret")
      const error = yield* failure(after.decrypt(data), "DecryptionError")
      assert.deepStrictEqual([error.reason, error.keyId], ["UnknownKey", "old"])
      const impostor = yield* Encryption.make({ keys: [newKey("old")] })
      assert.strictEqual((yield* failure(impostor.decrypt(data), "DecryptionError")).reason, "NotAuthentic")
    })
  )

  it.effect("knows its key by every text that it accepts as an id", () =>
    Effect.gen(function* () {
      for (const id of ["\ufeffa", "\0", "é".repeat(127), "😀"]) {
        const encryption = yield* Encryption.make({ keys: [newKey(id)] })
        assert.strictEqual(text(yield* encryption.decrypt(yield* encryption.encrypt("x"))), "x")
      }
    })
  )

  it.effect("takes keys as base64 too, and refuses all others without showing them", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array(Crypto.randomBytes(32))
      const one = yield* Encryption.make({ keys: [{ id: "a", secret: Redacted.make(bytes) }] })
      const other = yield* Encryption.make({ keys: [{ id: "a", secret: Redacted.make(Base64.encode(bytes)) }] })
      assert.strictEqual(text(yield* other.decrypt(yield* one.encrypt("x"))), "x")
      const refused: ReadonlyArray<ReadonlyArray<Encryption.Key>> = [
        [],
        [newKey("")],
        [newKey("x".repeat(256))],
        [newKey("\ud800")],
        [newKey("a"), newKey("a")],
        [{ id: "a", secret: Redacted.make(secret) }],
        [{ id: "a", secret: Redacted.make(new Uint8Array(16)) }]
      ]
      for (const keys of refused) {
        const error = yield* failure(Encryption.make({ keys }), "InvalidArgument")
        assert.notInclude(Util.inspect(error, { depth: null }), secret)
      }
    })
  )
})

describeOnServers("encrypted znodes", (test) => {
  test("are typed znodes with a codec", function* ({ zk }) {
    const encryption = yield* Encryption.make({ keys: [newKey("a")] })
    const schema = Schema.Struct({ user: Schema.String, password: Schema.String })
    const Login = ZNode.make({
      path: "/login",
      schema: Schema.fromJsonString(schema),
      codec: encryption.codec(ZNode.text, "/login")
    })
    yield* withClient(zk)(Login.create({}, { user: "me", password: secret }))
    assert.notInclude(text(yield* zk.getData("/login")), "me")
    const { value } = yield* withClient(zk)(Login.get({}))
    assert.deepStrictEqual(value, { user: "me", password: secret })
    yield* zk.set("/login", JSON.stringify({ user: "me", password: secret }))
    const error = yield* withClient(zk)(failure(Login.get({}), "ZNodeDecodeError"))
    assert.include(error.message, "the data is not encrypted")
    assert.notInclude(Util.inspect(error, { depth: null }), secret)
  })

  test("are decrypted in a live configuration, beside plain ones, and through a rotation", function* ({ zk }) {
    const [old, fresh] = [newKey("old"), newKey("fresh")]
    const before = yield* Encryption.make({ keys: [old] })
    const during = yield* Encryption.make({ keys: [fresh, old] })
    yield* plant(zk, { "/mail/host": "a" })
    yield* zk.create("/mail/password", { data: yield* before.encrypt(secret) })
    const config = Config.all({ host: Config.String("host"), password: Config.Redacted("password") })
    const live = yield* withClient(zk)(LiveConfig.make(config, { path: "/mail", decoder: during }))
    assert.strictEqual(Redacted.value(live.current.password), secret)
    const rotate = withClient(zk)(during.rotate("/mail/password"))
    assert.isTrue(yield* rotate)
    assert.isFalse(yield* rotate)
    const after = yield* Encryption.make({ keys: [fresh] })
    assert.strictEqual(text(yield* after.decrypt(yield* zk.getData("/mail/password"))), secret)
    assert.strictEqual(
      yield* withClient(zk)(failure(during.rotate("/mail/host"), "DecryptionError")).pipe(
        Effect.map(({ reason }) => reason)
      ),
      "NotEncrypted"
    )
    yield* zk.set("/mail/password", yield* after.encrypt("another"))
    yield* awaitCondition(() => Redacted.value(live.current.password) === "another")
  })

  test("may be the only ones that are accepted", function* ({ zk }) {
    const encryption = yield* Encryption.make({ keys: [newKey("a")], plaintext: "refuse" })
    yield* plant(zk, { "/mail": "" })
    yield* zk.create("/mail/password", { data: yield* encryption.encrypt(secret) })
    const live = yield* withClient(zk)(
      LiveConfig.make(Config.String("password"), { path: "/mail", decoder: encryption })
    )
    yield* zk.set("/mail/password", "put there by an intruder")
    yield* awaitCondition(() => Option.isSome(live.status.problem))
    assert.strictEqual(live.current, secret)
    assert.include(Option.getOrThrow(live.status.problem).message, "/mail/password: the data is not encrypted")
    yield* zk.set("/mail/password", yield* encryption.encrypt("new"))
    yield* awaitCondition(() => live.current === "new")
    yield* zk.set("/mail/password", "")
    yield* awaitCondition(() => Option.isSome(live.status.problem))
  })

  test("do not decrypt at another path, if that is their context", function* ({ zk }) {
    const encryption = yield* Encryption.make({ keys: [newKey("a")], plaintext: "refuse" })
    yield* plant(zk, { "/mail": "" })
    yield* zk.create("/mail/user", { data: yield* encryption.encrypt("me", "/mail/user") })
    yield* zk.create("/mail/password", { data: yield* encryption.encrypt(secret, "/mail/password") })
    const config = Config.all({ user: Config.String("user"), password: Config.String("password") })
    const live = yield* withClient(zk)(
      LiveConfig.make(config, { path: "/mail", decoder: encryption.decoderWith((path) => path) })
    )
    assert.deepStrictEqual(live.current, { user: "me", password: secret })
    yield* zk.set("/mail/user", yield* zk.getData("/mail/password"))
    yield* awaitCondition(() => Option.isSome(live.status.problem))
    assert.include(Option.getOrThrow(live.status.problem).message, "/mail/user: the data does not decrypt")
    yield* zk.set("/mail/user", "plain")
    yield* awaitCondition(() => Option.getOrThrow(live.status.problem).message.includes("not encrypted"))
    assert.deepStrictEqual(live.current, { user: "me", password: secret })
  })

  test("leave neither data nor keys in errors, logs and spans", function* ({ zk }) {
    const key = newKey("a")
    const encryption = yield* Encryption.make({ keys: [key] })
    const withAnotherKey = yield* Encryption.make({ keys: [newKey("b")] })
    const traces: Array<string> = []
    const note = (value: unknown) => traces.push(Util.inspect(value, { depth: 12, showHidden: true }))
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        traces.push(options.name)
        const end = span.end.bind(span)
        span.end = (time, exit) => {
          end(time, exit)
          note([...span.attributes])
          note(exit)
        }
        return span
      }
    })
    const work = Effect.gen(function* () {
      const data = yield* encryption.encrypt(secret)
      yield* zk.createWithParents("/app/port", { data })
      const Typed = ZNode.make({ path: "/app/port", schema: Schema.String, codec: withAnotherKey.codec(ZNode.text) })
      for (const effect of [
        withClient(zk)(Typed.get({})),
        withClient(zk)(LiveConfig.make(Config.Port("port"), { path: "/app", decoder: encryption })),
        withClient(zk)(LiveConfig.make(Config.Port("port"), { path: "/app", decoder: withAnotherKey })),
        withClient(zk)(withAnotherKey.rotate("/app/port")),
        withAnotherKey.decrypt(data)
      ] as ReadonlyArray<Effect.Effect<unknown, unknown>>) {
        const exit = yield* Effect.exit(Effect.withSpan(effect, "application"))
        note(exit)
        if (exit._tag === "Failure") traces.push(Cause.pretty(exit.cause), JSON.stringify(exit))
      }
      note([encryption, key, withAnotherKey])
      yield* Effect.logInfo("the key", key, encryption)
      yield* zk.set("/app/port", yield* encryption.encrypt("25"))
      const live = yield* withClient(zk)(LiveConfig.make(Config.Port("port"), { path: "/app", decoder: encryption }))
      yield* zk.set("/app/port", data)
      yield* awaitCondition(() => Option.isSome(live.status.problem))
      note(live.status)
    })
    yield* Effect.scoped(work as Effect.Effect<void, unknown>).pipe(
      Effect.withTracer(tracer),
      Effect.provide(Logger.layer([Logger.make((options) => note([options.message, options.cause]))]))
    )
    const bytes = Redacted.value(key.secret)
    assert.instanceOf(bytes, Uint8Array)
    const forms = [secret, Base64.encode(bytes), Buffer.from(bytes).toString("hex"), bytes.slice(0, 6).join(", ")]
    assert.isAbove(traces.length, 20)
    assert.isTrue(traces.some((trace) => trace.includes("is not taken over")))
    for (const trace of traces) for (const form of forms) assert.notInclude(trace, form)
  })
})
