/** TLS against the secure port of real servers: who is let in, who is not, why, and what was said before. */
import { Acl, PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
import type { ConnectFailed } from "@effect-zookeeper/client"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as ByteTap from "@effect-zookeeper/test-kit/ByteTap"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import type { ZooKeeperServerError } from "@effect-zookeeper/test-kit/ZooKeeperError"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Session from "@effect-zookeeper/session/Session"
import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { certificates } from "../../../transport/test/support/certificates.ts"
import * as Servers from "../../../transport/test/support/servers.ts"
import { RETRY_SOON, targetOf, awaitCondition } from "../support/faults.ts"
import { connect, failure } from "../support/clients.ts"

const CONNECT_TIMEOUT = 4_000

const pair = ({ cert, key }: ZooKeeperServer.Tls["client"]) => ({ cert, key: Redacted.make(key) })

/** A secure server that demands a certificate of its clients, and the options of one that it lets in. */
const makeRealServer = Effect.gen(function* () {
  const server = yield* ZooKeeperServer.make({ tls: true })
  const { tls = assert.fail("no TLS") } = server
  return { server, tls, secure: targetOf(tls.connectString), good: { ca: tls.ca, ...pair(tls.client) } }
})

interface RealServer extends Effect.Success<typeof makeRealServer> {}

// -----------------------------------------------------------------------------
// refusals: tried all at once, for each takes the whole connectTimeout
// -----------------------------------------------------------------------------

interface Refusal {
  readonly name: string
  readonly tls: TlsReason | undefined
  readonly says: string
  /** The bytes that the client sent, by connection. */
  readonly nothingIsSaid: "in the records of TLS 1.2" | "to the server's program" | "but the handshake of TLS"
}

const refusals = {
  wrongHost: {
    name: "a certificate for another host",
    tls: "WrongHost",
    says: "not for zk9.test",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  wrongAddress: {
    name: "a certificate for another address",
    tls: "WrongHost",
    says: "not for 127.0.0.9",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  unknownCa: {
    name: "an authority that tls.ca does not name",
    tls: "UnknownAuthority",
    says: "add it to tls.ca",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  noCa: {
    name: "an authority that Node does not know, without tls.ca",
    tls: "UnknownAuthority",
    says: "tls.ca",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  expired: {
    name: "an expired certificate",
    tls: "Expired",
    says: "has expired",
    nothingIsSaid: "to the server's program"
  },
  revoked: {
    name: "a revoked certificate",
    tls: "Revoked",
    says: "has been revoked",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  foreignCrl: {
    name: "a list of what is revoked that is not the authority's own",
    tls: "Revoked",
    says: "not signed by the authority that it speaks for",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  noClientCertificate: {
    name: "no client certificate to show",
    tls: "ClientCertificate",
    says: "it wants a client certificate",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  strangeClient: {
    name: "a client certificate of an authority that the server does not know",
    tls: "ClientCertificate",
    says: "it does not accept the certificate",
    nothingIsSaid: "in the records of TLS 1.2"
  },
  noClientCertificate13: {
    name: "no client certificate to show, where a TLS 1.3 server says so after the handshake",
    tls: "ClientCertificate",
    says: "it wants a client certificate",
    nothingIsSaid: "to the server's program"
  },
  realNoClientCertificate13: {
    name: "no client certificate to show, where a ZooKeeper on TLS 1.3 says so after the handshake",
    tls: "ClientCertificate",
    says: "it wants a client certificate",
    nothingIsSaid: "to the server's program"
  },
  tls11: {
    name: "a server that speaks TLS 1.1 at most",
    tls: "Version",
    says: "tls.minVersion",
    nothingIsSaid: "to the server's program"
  },
  tlsAtPlainPort: {
    name: "the plain port of a ZooKeeper, dialled with TLS",
    tls: "NotTls",
    says: "does this port speak TLS",
    nothingIsSaid: "but the handshake of TLS"
  },
  plainAtTlsPort: {
    name: "the secure port of a ZooKeeper, dialled without TLS",
    tls: undefined,
    says: "TLS",
    nothingIsSaid: "to the server's program"
  },
  plainAtAlert: {
    name: "a secure port that answers with an alert, dialled without TLS",
    tls: undefined,
    says: "the server speaks TLS at this port; write tls:// before it",
    nothingIsSaid: "to the server's program"
  },
  silence: {
    name: "a server that never shakes hands",
    tls: undefined,
    says: "could not connect within",
    nothingIsSaid: "but the handshake of TLS"
  }
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
  const oldSecure = targetOf(oldTls.connectString)
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
  yield* Effect.forEach(warm, Effect.scoped, { concurrency: "unbounded" })

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
  return yield* Effect.all(all, { concurrency: "unbounded" })
})

// -----------------------------------------------------------------------------
// the tests
// -----------------------------------------------------------------------------

class Fixture extends Context.Service<
  Fixture,
  RealServer & { readonly refused: { readonly [Name in keyof typeof refusals]: Refused } }
>()("test/Tls") {
  static readonly layer = Layer.effect(
    Fixture,
    Effect.gen(function* () {
      const real = yield* makeRealServer
      return { ...real, refused: yield* makeRefused(real) }
    })
  )
}

const x509Of = (zk: ZooKeeper.Service) =>
  Effect.map(zk.whoAmI, (identities) => identities.filter(({ scheme }) => scheme === "x509").map(({ id }) => id))

layer(Fixture.layer, { excludeTestServices: true, timeout: "60 seconds" })("TLS on real servers", (it) => {
  for (const [key, refusal] of Object.entries(refusals) as ReadonlyArray<[keyof typeof refusals, Refusal]>) {
    it.effect(`refuses ${refusal.name}`, () =>
      Effect.gen(function* () {
        const { error, heard, sent, took } = (yield* Fixture).refused[key]
        assert.isBelow(took, CONNECT_TIMEOUT + 10_000)
        assert.isAbove(error.attempts.length, 0)
        for (const { reason, tls } of error.attempts) {
          assert.strictEqual(tls, refusal.tls, reason)
          assert.include(reason, refusal.says)
        }
        if (refusal.nothingIsSaid === "to the server's program") {
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

  it.effect("options that cannot be used are refused at once by name, in both APIs, and nothing is dialled", () =>
    Effect.gen(function* () {
      const { good, tls } = yield* Fixture
      const tap = yield* ByteTap.make(targetOf(tls.connectString))
      const secret = "a secret that no message tells"
      const pfx = Redacted.make(yield* tls.clientPfx("right"))
      const key = Redacted.make(yield* tls.encryptedClientKey("right"))
      const passphrase = Redacted.make(secret)
      const nowhere = "/nowhere/ca.pem"
      const files: ReadonlyArray<readonly [string, TlsOptions.TlsSource]> = [
        ["tls.ca", { ...good, ca: "no PEM" }],
        ["tls.cert", { ...good, cert: undefined }],
        ["tls.key", { ...good, key: undefined }],
        ["tls.key", { ...good, key: Redacted.make(secret) }],
        ["tls.key", { ...good, key: secret as unknown as Redacted.Redacted<string> }],
        ["tls.passphrase", { ...good, key }],
        ["tls.passphrase", { ...good, key, passphrase }],
        ["tls.passphrase", { ca: tls.ca, pfx, passphrase }],
        ["tls.ca", TlsOptions.fromFiles({ ca: nowhere })]
      ]
      for (const [option, options] of files) {
        const given = { servers: tap.connectString, tls: options }
        const error = yield* failure(connect(given), "InvalidArgument")
        assert.strictEqual(error.argument, option)
        assert.include(error.message, option)
        assert.notInclude(error.message, secret)
        const promised = yield* Effect.flip(
          Effect.tryPromise({
            try: () => PromiseClient.connect(given.servers, { tls: options }),
            catch: (cause) => cause
          })
        )
        assert.deepInclude(promised, { _tag: "InvalidArgument", argument: option })
      }
      const unread = yield* failure(
        connect({ servers: tap.connectString, tls: TlsOptions.fromFiles({ ca: nowhere }) }),
        "InvalidArgument"
      )
      assert.include(unread.message, nowhere)
      assert.lengthOf(yield* tap.sent, 0)
    })
  )

  it.effect("accepts a client with a certificate; whoAmI shows it, and x509 ACLs hold", () =>
    Effect.gen(function* () {
      const { good, server, tls } = yield* Fixture
      const tap = yield* ByteTap.make(targetOf(tls.connectString))
      const zk = yield* connect({ servers: tap.connectString, tls: good })
      assert.deepStrictEqual(yield* x509Of(zk), ["CN=zkclient"])
      yield* zk.create("/mtls", { data: "mine", acl: [Acl.x509("CN=zkclient", Acl.Perms.ALL)] })
      assert.strictEqual((yield* zk.getData("/mtls")).length, 4)
      const anybody = yield* connect({ servers: server.connectString })
      yield* failure(anybody.getData("/mtls"), "NoAuth")
      const admin = yield* connect({ servers: tls.connectString, tls: { ca: tls.ca, ...pair(tls.superClient) } })
      assert.strictEqual((yield* admin.setData("/mtls", "taken")).version, 1)
      // The tap sees what it should see none of above.
      const [bytes = new Uint8Array()] = yield* tap.sent
      assert.include(ByteTap.tlsRecords(bytes), "data")
    })
  )

  it.effect("knows the server by name and by address, and a name that the options give", () =>
    Effect.gen(function* () {
      const { good, secure } = yield* Fixture
      for (const [host, servername] of [["localhost"], ["127.0.0.1"], ["127.0.0.1", "localhost"]] as const) {
        const zk = yield* connect({ servers: `${host}:${secure.port}`, tls: { ...good, servername } })
        assert.isTrue(yield* zk.exists("/"))
      }
    })
  )

  it.effect("takes the client's certificate from PKCS#12, and an encrypted key", () =>
    Effect.gen(function* () {
      const { tls } = yield* Fixture
      const passphrase = Redacted.make("right")
      const pfx = Redacted.make(yield* tls.clientPfx("right"))
      const key = Redacted.make(yield* tls.encryptedClientKey("right"))
      for (const options of [{ pfx }, { cert: tls.client.cert, key }]) {
        const zk = yield* connect({ servers: tls.connectString, tls: { ca: tls.ca, passphrase, ...options } })
        assert.deepStrictEqual(yield* x509Of(zk), ["CN=zkclient"])
      }
    })
  )

  it.effect("accepts a server that is not on its authority's list of revoked ones", () =>
    Effect.gen(function* () {
      const { good, tls } = yield* Fixture
      const zk = yield* connect({ servers: tls.connectString, tls: { ...good, crl: [yield* tls.crl("nothing")] } })
      assert.isTrue(yield* zk.exists("/"))
    })
  )

  it.effect("reads certificates again for each connection: the session goes on with another identity", () =>
    Effect.gen(function* () {
      const { tls } = yield* Fixture
      const folder = yield* temporaryFolder
      const file = (name: string) => Path.join(folder, name)
      const write = (shown: ZooKeeperServer.Tls["client"]) => {
        Fs.writeFileSync(file("client.pem"), shown.cert)
        Fs.writeFileSync(file("client.key"), shown.key)
      }
      Fs.writeFileSync(file("ca.pem"), tls.ca)
      write(tls.client)
      const tap = yield* ByteTap.make(targetOf(tls.connectString))
      const files = TlsOptions.fromFiles({ ca: file("ca.pem"), cert: file("client.pem"), key: file("client.key") })
      let read = 0
      const zk = yield* connect({
        servers: tap.connectString,
        retry: RETRY_SOON,
        sessionTimeout: "30 seconds",
        tls: Effect.tap(files, () => Effect.sync(() => read++))
      })
      const { id } = zk.session
      assert.deepStrictEqual(yield* x509Of(zk), ["CN=zkclient"])
      // Files may be read while they are being replaced: such an attempt fails, and the next one reads again.
      Fs.writeFileSync(file("client.pem"), tls.superClient.cert)
      yield* tap.dropAll
      yield* awaitCondition(() => read >= 3)
      assert.notStrictEqual(zk.session.state._tag, "Connected")
      write(tls.superClient)
      assert.deepStrictEqual(yield* x509Of(zk), ["CN=zksuper"])
      assert.strictEqual(zk.session.id, id)
    })
  )

  it.effect("takes an Effect for the options, which cannot switch verification off", () =>
    Effect.gen(function* () {
      const { good, secure } = yield* Fixture
      let asked = 0
      const zk = yield* connect({
        servers: `localhost:${secure.port}`,
        tls: Effect.sync(() => {
          asked++
          return good
        })
      })
      assert.isTrue(yield* zk.exists("/"))
      assert.isAtLeast(asked, 1)
      const { ca } = yield* certificates
      const unverified = { ...good, ca, rejectUnauthorized: false }
      const error = yield* failure(
        connect({ servers: `localhost:${secure.port}`, connectTimeout: "3 seconds", tls: Effect.succeed(unverified) }),
        "ConnectFailed"
      )
      assert.strictEqual(error.attempts.at(-1)?.tls, "UnknownAuthority")
    })
  )

  it.effect("verifies whatever the environment and Node's flags say", () =>
    Effect.gen(function* () {
      const { tls } = yield* Fixture
      const strange = yield* certificates
      const old = yield* Servers.tls(
        { ...strange.server, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
        () => {}
      )
      const script = fileURLToPath(new URL("../support/tlsEnvironment.ts", import.meta.url))
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, ["--tls-min-v1.0", "--tls-cipher-list=DEFAULT@SECLEVEL=0", script], {
          timeout: 25_000,
          env: {
            ...process.env,
            NODE_TLS_REJECT_UNAUTHORIZED: "0",
            SECURE: tls.connectString,
            OLD: `127.0.0.1:${old.address.port}`,
            CERT: tls.client.cert,
            KEY: tls.client.key,
            CA: strange.ca
          }
        })
      )
      assert.deepStrictEqual(stdout.trim().split("\n"), [
        // Node itself, so that the test shows something.
        "node, unknown authority: connected",
        "node, TLS 1.1: connected",
        "transport, unknown authority: UnknownAuthority",
        "transport, TLS 1.1: Version"
      ])
    })
  )

  it.effect("a scheme decides for one server; a list that mixes is refused unless allowPlaintext says otherwise", () =>
    Effect.gen(function* () {
      const { good, server, tls } = yield* Fixture
      const mixed = `tcp://${server.connectString},tls://${tls.connectString}`
      for (const servers of [mixed, `tcp://${server.connectString},${tls.connectString}`]) {
        const error = yield* failure(connect({ servers, tls: good }), "InvalidArgument")
        assert.strictEqual(error.argument, "servers")
        assert.include(error.rule, `tcp://${server.connectString} would get in plain text`)
        assert.include(error.rule, "allowPlaintext")
      }
      const zk = yield* connect({ servers: mixed, tls: good, allowPlaintext: true, retry: RETRY_SOON })
      assert.isTrue(yield* zk.exists("/"))
      yield* zk.updateServers(`tls://${tls.connectString}`)
      assert.deepStrictEqual(yield* eventually(x509Of(zk), (ids) => ids.length > 0), ["CN=zkclient"])
      yield* zk.updateServers(`tcp://${server.connectString}`)
      assert.deepStrictEqual(yield* eventually(x509Of(zk), (ids) => ids.length === 0), [])
      // All of one kind is the user's choice, whatever the options say of the others.
      assert.isTrue(yield* (yield* connect({ servers: `tcp://${server.connectString}`, tls: good })).exists("/"))
    })
  )

  it.effect("a session that began over TLS does not go on in plain text", () =>
    Effect.gen(function* () {
      const { good, server, tls } = yield* Fixture
      const zk = yield* connect({ servers: tls.connectString, tls: good })
      for (const servers of [`tcp://${server.connectString}`, `${tls.connectString},tcp://${server.connectString}`]) {
        yield* failure(zk.updateServers(servers), "InvalidArgument")
      }
      assert.deepStrictEqual(yield* x509Of(zk), ["CN=zkclient"])
    })
  )

  it.effect("an unverified server elsewhere gets no credentials, and plain text is warned of once", () =>
    Effect.gen(function* () {
      const auth = [{ scheme: "digest", credentials: Redacted.make("bob:secret") }]
      const lines: Array<unknown> = []
      const logger = Logger.make<unknown, void>(({ message }) => void lines.push(message))
      const start = (options: ZooKeeper.Options) =>
        ZooKeeper.layerSession().pipe(
          Layer.provide(Session.layer(options)),
          Layer.provide(Transport.layer({ tls: options.tls, lookup: () => Effect.succeed(["127.0.0.1"]) })),
          Layer.build,
          Effect.map((context) => Context.get(context, ZooKeeper.ZooKeeper)),
          Effect.provide(Logger.layer([logger]))
        )
      const unverified = { rejectUnauthorized: false }
      const error = yield* failure(start({ servers: "zk1.test:1", tls: unverified, auth }), "InvalidArgument")
      assert.strictEqual(error.argument, "tls.rejectUnauthorized")
      // These are dialled, and there is no server.
      const nobody = { tls: unverified, connectTimeout: "1 second" } as const
      const dialled: ReadonlyArray<ZooKeeper.Options> = [
        { ...nobody, servers: "zk1.test:1" },
        { ...nobody, servers: "127.0.0.1:1", auth },
        { ...nobody, servers: "zk1.test:1", auth, allowPlaintext: true }
      ]
      yield* Effect.forEach(dialled, (options) => failure(start(options), "ConnectFailed"), { concurrency: 3 })
      assert.deepStrictEqual(lines, [])

      // A client that has moved elsewhere since is held to the same rule.
      const { tls } = yield* Fixture
      const elsewhere = `zk1.test:${tls.connectString.split(":").at(-1)}`
      const near = yield* start({ servers: tls.connectString, tls: { ...(yield* Fixture).good, ...unverified } })
      yield* near.updateServers(`${tls.connectString},${elsewhere}`)
      yield* near.updateServers(tls.connectString)
      yield* near.addAuth("digest", Redacted.make("bob:secret"))
      const moved = yield* failure(near.updateServers(elsewhere), "InvalidArgument")
      assert.strictEqual(moved.argument, "tls.rejectUnauthorized")

      const [, port] = TestServer.connectString().split(":")
      const zk = yield* start({ servers: `zk1.test:${port}` })
      assert.deepStrictEqual(lines, [])
      yield* Effect.provide(zk.addAuth("digest", Redacted.make("bob:secret")), Logger.layer([logger]))
      yield* Effect.provide(zk.addAuth("digest", Redacted.make("alice:secret")), Logger.layer([logger]))
      yield* start({ servers: `zk1.test:${port}`, auth })
      assert.lengthOf(lines, 2)
      for (const line of lines) assert.include(String(line), `credentials go to zk1.test:${port} in plain text`)
    })
  )
})

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "client-tls-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
)
