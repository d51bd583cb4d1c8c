/** Refusals of TLS by real servers: why, and what was said before. All are tried at once, for each takes the whole connectTimeout. */
import type { ConnectFailed } from "@effect-zookeeper/client"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import type * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as ByteTap from "@effect-zookeeper/test-kit/ByteTap"
import type { ZooKeeperServerError } from "@effect-zookeeper/test-kit/ZooKeeperError"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { eachAtOnce, atOnce } from "@effect-zookeeper/test-kit/Expectations"
import * as Session from "@effect-zookeeper/session/Session"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { certificates } from "../../../transport/test/support/certificates.ts"
import * as Servers from "../../../transport/test/support/servers.ts"
import { connect, failure } from "../support/clients.ts"
import { describeWithTls, makeTls12Server, pair, type RealServer } from "../support/tls.ts"

const CONNECT_TIMEOUT = 4_000

type Refusal = readonly [
  name: string,
  tls: TlsReason | undefined,
  says: string,
  /** Where nothing is said before the server is verified. */
  nothingIsSaid: "in the records of TLS 1.2" | "to the server's program" | "but the handshake of TLS"
]

const refusals = {
  wrongHost: ["a certificate for another host", "WrongHost", "not for zk9.test", "in the records of TLS 1.2"],
  wrongAddress: ["a certificate for another address", "WrongHost", "not for 127.0.0.9", "in the records of TLS 1.2"],
  unknownCa: [
    "an authority that tls.ca does not name",
    "UnknownAuthority",
    "add it to tls.ca",
    "in the records of TLS 1.2"
  ],
  noCa: [
    "an authority that Node does not know, without tls.ca",
    "UnknownAuthority",
    "tls.ca",
    "in the records of TLS 1.2"
  ],
  expired: ["an expired certificate", "Expired", "has expired", "to the server's program"],
  revoked: ["a revoked certificate", "Revoked", "has been revoked", "in the records of TLS 1.2"],
  foreignCrl: [
    "a list of what is revoked that is not the authority's own",
    "Revoked",
    "not signed by the authority that it speaks for",
    "in the records of TLS 1.2"
  ],
  noClientCertificate: [
    "no client certificate to show",
    "ClientCertificate",
    "it wants a client certificate",
    "in the records of TLS 1.2"
  ],
  strangeClient: [
    "a client certificate of an authority that the server does not know",
    "ClientCertificate",
    "it does not accept the certificate",
    "in the records of TLS 1.2"
  ],
  noClientCertificate13: [
    "no client certificate to show, where a TLS 1.3 server says so after the handshake",
    "ClientCertificate",
    "it wants a client certificate",
    "to the server's program"
  ],
  realNoClientCertificate13: [
    "no client certificate to show, where a ZooKeeper on TLS 1.3 says so after the handshake",
    "ClientCertificate",
    "it wants a client certificate",
    "to the server's program"
  ],
  tls11: ["a server that speaks TLS 1.1 at most", "Version", "tls.minVersion", "to the server's program"],
  tlsAtPlainPort: [
    "the plain port of a ZooKeeper, dialled with TLS",
    "NotTls",
    "does this port speak TLS",
    "but the handshake of TLS"
  ],
  plainAtTlsPort: ["the secure port of a ZooKeeper, dialled without TLS", undefined, "TLS", "to the server's program"],
  plainAtAlert: [
    "a secure port that answers with an alert, dialled without TLS",
    undefined,
    "the server speaks TLS at this port; write tls:// before it",
    "to the server's program"
  ],
  silence: ["a server that never shakes hands", undefined, "could not connect within", "but the handshake of TLS"]
} as const satisfies Record<string, Refusal>

interface RefuseOptions {
  readonly name?: string
  /** A dial takes no longer than a session could wait for it. Milliseconds. */
  readonly sessionTimeout?: number
  /** How much the server's program has heard so far: bytes, or sessions. */
  readonly told?: Effect.Effect<number, ZooKeeperServerError>
}

interface Refused {
  readonly error: ConnectFailed
  /** Milliseconds. */
  readonly took: number
  /** The bytes that were sent on each connection. */
  readonly sent: ReadonlyArray<Uint8Array>
  /** What reached the server's program through TLS: bytes, or sessions that it began. */
  readonly heard: number
}

const makeRefused = Effect.fnUntraced(function* ({ good, secure, server, tls }: RealServer) {
  const strange = yield* certificates
  // Left to itself a server knows no cipher of TLS 1.3.
  const tls13 = ["ssl.protocol=TLSv1.3", "ssl.enabledProtocols=TLSv1.3", "ssl.ciphersuites=TLS_AES_256_GCM_SHA384"]
  const old = yield* ZooKeeperServer.make({ tls: { expired: true }, config: tls13 })
  const sessionsOfOld = Effect.map(old.fourLetterWord("mntr"), (answer) =>
    Number(/^zk_global_sessions\s+(\d+)$/m.exec(answer)?.[1])
  )
  const { tls: oldTls = assert.fail("no TLS") } = old
  const oldSecure = TestServer.targetOf(oldTls.connectString)
  let heard = 0
  const listening = (options: Parameters<typeof Servers.tls>[0]) =>
    Effect.map(
      Servers.tls(options, (socket) => socket.on("data", (data) => (heard += data.length))),
      ({ address }) => address
    )
  const nodeTls13 = yield* listening({ ...strange.server, ca: strange.ca, requestCert: true, minVersion: "TLSv1.3" })
  const nodeTls11 = yield* listening({
    ...strange.server,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0"
  })
  const alert = yield* Servers.tcp((socket) =>
    socket.once("data", () => socket.end(Buffer.from("15030100020246", "hex")))
  )
  const silent = yield* Servers.tcp((socket) => socket.resume())

  /** Dials through a tap, under the name that is asked for. */
  const refuse = Effect.fnUntraced(function* (
    target: { readonly host: string; readonly port: number },
    options: TlsOptions.TlsSource | undefined,
    { name = "127.0.0.1", sessionTimeout, told = Effect.sync(() => heard) }: RefuseOptions = {}
  ) {
    const tap = yield* ByteTap.make(target)
    const started = yield* Clock.currentTimeMillis
    const before = yield* told
    const session = Session.layer({
      servers: `${name}:${tap.port}`,
      sessionTimeout,
      connectTimeout: CONNECT_TIMEOUT,
      retry: Schedule.spaced("300 millis")
    }).pipe(
      Layer.provide(Transport.layer({ tls: options, lookup: () => Effect.succeed(["127.0.0.1"]) })),
      Layer.build,
      Effect.scoped
    )
    const error = yield* failure(session, "ConnectFailed")
    const took = (yield* Clock.currentTimeMillis) - started
    return { error, took, sent: yield* tap.sent, heard: (yield* told) - before } satisfies Refused
  })

  // The first handshake of a server takes long on a busy machine; it is none of the refusals.
  const warm = [
    connect({ servers: tls.connectString, tls: good }),
    connect({ servers: oldTls.connectString, tls: { ...pair(oldTls.client), rejectUnauthorized: false } })
  ]
  yield* eachAtOnce(warm, Effect.scoped)

  const all: {
    readonly [Name in keyof typeof refusals]: Effect.Effect<
      Refused,
      unknown,
      Effect.Services<ReturnType<typeof refuse>>
    >
  } = {
    wrongHost: refuse(secure, good, { name: "zk9.test" }),
    wrongAddress: refuse(secure, { ...good, servername: "127.0.0.9" }),
    unknownCa: refuse(secure, { ...good, ca: strange.ca }),
    noCa: refuse(secure, { ...good, ca: undefined }),
    expired: refuse(oldSecure, { ca: oldTls.ca, ...pair(oldTls.client) }, { told: sessionsOfOld }),
    revoked: Effect.flatMap(tls.crl("server"), (crl) => refuse(secure, { ...good, crl })),
    foreignCrl: Effect.flatMap(oldTls.crl("nothing"), (crl) => refuse(secure, { ...good, crl })),
    noClientCertificate: refuse(secure, { ca: tls.ca }),
    strangeClient: refuse(secure, { ca: tls.ca, ...pair(strange.client) }),
    noClientCertificate13: refuse(nodeTls13, { ca: strange.ca }),
    realNoClientCertificate13: refuse(oldSecure, { rejectUnauthorized: false }, { told: sessionsOfOld }),
    tls11: refuse(nodeTls11, { ca: strange.ca }),
    tlsAtPlainPort: refuse(server, good),
    plainAtTlsPort: refuse(secure, undefined),
    plainAtAlert: refuse(alert.address, undefined),
    silence: refuse(silent.address, good, { sessionTimeout: CONNECT_TIMEOUT / 2 })
  }
  return yield* atOnce(all)
})

class Fixture extends Context.Service<
  Fixture,
  RealServer & { readonly refused: { readonly [Name in keyof typeof refusals]: Refused } }
>()("test/Tls.refusals") {
  static readonly layer = Layer.effect(
    Fixture,
    Effect.gen(function* () {
      const real = yield* makeTls12Server
      return { ...real, refused: yield* makeRefused(real) }
    })
  )
}

describeWithTls(Fixture.layer)("TLS on real servers", (it) => {
  for (const [key, refusal] of Object.entries(refusals) as ReadonlyArray<[keyof typeof refusals, Refusal]>) {
    const [name, tls, says, nothingIsSaid] = refusal
    it.effect(`refuses ${name}`, () =>
      Effect.gen(function* () {
        const { error, heard, sent, took } = (yield* Fixture).refused[key]
        assert.isBelow(took, CONNECT_TIMEOUT + 10_000)
        assert.isAbove(error.attempts.length, 0)
        for (const attempt of error.attempts) {
          assert.strictEqual(attempt.tls, tls, attempt.reason)
          assert.include(attempt.reason, says)
        }
        if (nothingIsSaid === "to the server's program") {
          assert.strictEqual(heard, 0)
          return
        }
        // Whatever was dialled, nothing but a handshake of TLS went out, and no session was asked for.
        for (const bytes of sent) {
          const records = ByteTap.tlsRecords(bytes)
          assert.includeMembers(["handshake", undefined], [records[0]])
          const allowed = bytes.length === 0 ? [] : ["handshake", "alert", "cipher"]
          for (const record of records) assert.include(allowed, record)
        }
      })
    )
  }
})
