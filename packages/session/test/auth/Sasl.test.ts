import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Sasl from "@effect-zookeeper/session/Sasl"
import { SaslError } from "@effect-zookeeper/session/SaslError"
import type { SessionOptions } from "@effect-zookeeper/session/Session"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as ScriptedServer from "@effect-zookeeper/test-kit/ScriptedServer"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assertEach, failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, layer } from "@effect/vitest"
import { itLive, testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Frames from "../support/frames.ts"
import { connectLive, digest } from "../support/session.ts"

const connect = (servers: string, sasl: Sasl.SaslMechanism | undefined, options: Pick<SessionOptions, "auth"> = {}) =>
  connectLive({ servers, sasl, connectTimeout: "15 seconds", ...options })

const bob = (password: string) => Sasl.digestMd5({ username: "bob", password: Redacted.make(password) })

/** Older servers close the connection without a word, as one that crashes does: the client tries again, and names the cause. */
const isRefusalSaid = TestServer.isAtLeast("3.6.0")

const assertRefused = (error: { readonly _tag: string; readonly message: string }): void => {
  assert.strictEqual(error._tag, isRefusalSaid ? "AuthFailed" : "ConnectFailed")
  if (!isRefusalSaid) assert.include(error.message, "refuses the SASL credentials without a word")
}

class SaslServer extends Context.Service<SaslServer, ZooKeeperServer.ZooKeeperServer>()("test/SaslServer") {
  static readonly layer = Layer.effect(SaslServer, ZooKeeperServer.make({ sasl: "required" }))
}

layer(SaslServer.layer, { excludeTestServices: true, timeout: "60 seconds" })(
  "SASL on a server that requires it",
  (it) => {
    const itOnServer = testWith(it.effect, SaslServer)

    itOnServer("gives the session its identity, on every connection", function* (server) {
      const proxy = yield* FaultProxy.make(server)
      const session = yield* connect(proxy.connectString, bob("bobsecret"))
      const acl = [Acl.sasl("bob", Acl.Perms.ALL)]
      const request = { path: "/bobs", data: null, acl, flags: 0 }
      yield* session.request(Operations.create, request, "/bobs")
      const { id } = session.info
      // Nothing comes before the tokens, on no connection.
      assert.deepStrictEqual((yield* proxy.requests).slice(0, 2), [SASL, SASL])
      yield* proxy.dropAll("rst")
      const reply = yield* session.request(Operations.getData, { path: "/bobs", watch: false }, "/bobs")
      assert.strictEqual(reply.stat.version, 0)
      assert.strictEqual(session.info.id, id)
      const { frames } = yield* proxy.seen
      const second = frames.filter(({ connection, direction }) => connection === 2 && direction === "up")
      assertEach(second.slice(0, 3), ({ op }) => op, ["connect", SASL, SASL])
    })

    itOnServer("sends nothing but tokens when the password is wrong, and no error holds a secret", function* (server) {
      const proxy = yield* FaultProxy.make(server)
      const auth = [digest("bob:secret")]
      const error = yield* Effect.flip(connect(proxy.connectString, bob("not the password"), { auth }))
      assertRefused(error)
      assert.notInclude(`${error.message} ${JSON.stringify(error)} ${error.stack}`, "not the password")
      const requests = yield* proxy.requests
      if (isRefusalSaid) assert.deepStrictEqual(requests, [SASL, SASL])
      else for (const op of requests) assert.strictEqual(op, SASL)
    })

    TestServer.since("3.6.0", itOnServer)("refuses what comes from a session without an identity", function* (server) {
      const session = yield* connect(server.connectString, undefined)
      const error = yield* failure(
        session.request(Operations.getData, { path: "/", watch: false }, "/"),
        "ServerRefused"
      )
      if (error._tag === "ServerRefused") assert.strictEqual(error.name, "SessionClosedRequireSaslAuth")
    })

    itOnServer("breaks off when the server cannot prove that it knows the password", function* (server) {
      const honest = bob("bobsecret")
      const lied: Sasl.SaslMechanism = {
        name: honest.name,
        begin: (to) =>
          Effect.map(honest.begin(to), (exchange) => ({
            initial: exchange.initial,
            answer: (challenge) => {
              const text = new TextDecoder().decode(challenge)
              return exchange.answer(new TextEncoder().encode(text.replace(/rspauth=../, "rspauth=x")))
            }
          }))
      }
      const error = yield* failure(connect(server.connectString, lied), "AuthFailed")
      assert.include(error.message, "could not prove")
    })

    itOnServer("uses an application's own mechanism, which learns the name of the server", function* (server) {
      const asked: Array<string> = []
      const own: Sasl.SaslMechanism = {
        name: "OWN",
        begin: (to) =>
          Effect.map(bob("bobsecret").begin(to), (exchange) => {
            asked.push(`${to.host}:${to.port}`)
            const answer = (challenge: Uint8Array) => Effect.delay(exchange.answer(challenge), "5 millis")
            return { initial: exchange.initial, answer }
          })
      }
      const session = yield* connect(server.connectString, own)
      yield* session.request(Operations.getData, { path: "/", watch: false }, "/")
      assert.deepStrictEqual(asked, [server.connectString])
    })

    itOnServer("stops a mechanism that never ends, and says why one is unwilling", function* (server) {
      const endless: Sasl.SaslMechanism = {
        name: "ENDLESS",
        begin: () => Effect.succeed({ initial: new Uint8Array(0), answer: () => Effect.succeed(new Uint8Array(0)) })
      }
      const proxy = yield* FaultProxy.make(server)
      const error = yield* Effect.flip(connect(proxy.connectString, endless))
      assertRefused(error)
      const tokens = yield* proxy.requests
      if (isRefusalSaid) assert.isAtMost(tokens.length, 10)
      for (const op of tokens) assert.strictEqual(op, SASL)
      const unwilling: Sasl.SaslMechanism = {
        name: "UNWILLING",
        begin: () => Effect.fail(new SaslError({ reason: "there is no ticket\nERROR forged by a server's text" }))
      }
      const { message } = yield* Effect.flip(connect(server.connectString, unwilling))
      assert.include(message, "there is no ticket\\u000aERROR")
      assert.notInclude(message, "\n")
    })
  }
)

/** The op code of SASL's tokens. */
const SASL = 102

describe("SASL on a server that knows none", () => {
  itLive("is never skipped silently: AuthFailed, and nothing but SASL was sent", function* () {
    const proxy = yield* FaultProxy.make(TestServer.target())
    const auth = [digest("bob:secret")]
    const error = yield* failure(connect(proxy.connectString, bob("bobsecret"), { auth }), "AuthFailed")
    assert.include(error.message, "JAAS")
    assert.deepStrictEqual(yield* proxy.requests, [SASL])
  })
})

describe("SASL on a server in FIPS mode", () => {
  TestServer.since("3.9.4", itLive)("ends with AuthFailed, which says what to set", function* () {
    const server = yield* ZooKeeperServer.make({ sasl: true, jvmFlags: ["-Dzookeeper.fips-mode=true"] })
    const error = yield* failure(connect(server.connectString, bob("bobsecret")), "AuthFailed")
    assert.include(error.message, "-Dzookeeper.fips-mode=false")
  })
})

describe("SASL on a server that lies", () => {
  /** A server that gives a session, and answers the tokens of DIGEST-MD5 as it pleases. */
  const lying = Effect.fnUntraced(function* (challenges: ReadonlyArray<string>) {
    const ops: Array<number> = []
    const tokens: Array<string> = []
    const server = yield* ScriptedServer.make((connection) =>
      Effect.gen(function* () {
        yield* connection.nextFrame
        yield* connection.send(Frames.connectReply({ sessionId: 1n }))
        for (let i = 0; ; i++) {
          const { body, opCode, xid } = Frames.decodeRequest(yield* connection.nextFrame)
          ops.push(opCode)
          tokens.push(new TextDecoder().decode(body.token))
          const token = Frames.text(challenges[i] ?? "")
          yield* connection.send(Frames.replyWith(xid, 0n, Operations.sasl, { token }))
        }
      })
    )
    const error = yield* Effect.flip(connect(server.connectString, bob("bobsecret")))
    return { error, ops, tokens }
  })

  const challenge = (directives: string) => `nonce="abc",${directives}charset=utf-8,algorithm=md5-sess`

  const refused: ReadonlyArray<readonly [string, ReadonlyArray<string>, string, ReadonlyArray<number>]> = [
    ["offers nothing", [""], "offers none", [SASL]],
    ["chooses the realm", [challenge(`realm="evil",qop="auth",`)], "another realm than zk-sasl-md5", [SASL]],
    ["wants all traffic wrapped", [challenge(`qop="auth-conf",`)], "quality of protection", [SASL]],
    ["has no nonce", ["algorithm=md5-sess"], "no nonce", [SASL]],
    ["wants a weaker algorithm", [`nonce="abc",algorithm=md5`], "another algorithm", [SASL]],
    ["proves nothing", [challenge(""), ""], "could not prove", [SASL, SASL]],
    ["proves something else", [challenge(""), `rspauth=${"0".repeat(32)}`], "could not prove", [SASL, SASL]]
  ]
  for (const [what, challenges, says, ops] of refused) {
    itLive(`is refused where it ${what}, and nothing else is sent`, function* () {
      const outcome = yield* lying(challenges)
      assert.strictEqual(outcome.error._tag, "AuthFailed")
      assert.include(outcome.error.message, says)
      assert.deepStrictEqual(outcome.ops, ops)
      for (const token of outcome.tokens) assert.notInclude(token, "bobsecret")
    })
  }

  itLive("is named as one in FIPS mode where it refuses before it has seen credentials", function* () {
    const server = yield* ScriptedServer.make((connection) =>
      Effect.gen(function* () {
        yield* connection.nextFrame
        yield* connection.send(Frames.connectReply({ sessionId: 1n }))
        const { xid } = Frames.decodeRequest(yield* connection.nextFrame)
        yield* connection.send(Frames.reply(xid, 0n, -115))
      })
    )
    const error = yield* failure(connect(server.connectString, bob("bobsecret")), "AuthFailed")
    assert.include(error.message, "-Dzookeeper.fips-mode=false")
  })

  itLive("never sees one of our nonces twice", function* () {
    const nonces = new Set<string>()
    for (let i = 0; i < 3; i++) {
      const { tokens } = yield* lying([challenge(""), ""])
      nonces.add(/cnonce="([0-9a-f]{32})"/.exec(tokens[1] ?? "")?.[1] ?? "none")
    }
    assert.strictEqual(nonces.size, 3)
    assert.notInclude([...nonces], "none")
  })
})
