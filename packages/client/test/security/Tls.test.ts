/** TLS against the secure port of real servers: who is let in, and how. Those that are not are in `Tls.refusals.test.ts`. */
import { Acl, PromiseClient, ZooKeeper } from "@effect-zookeeper/client"
import * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as ByteTap from "@effect-zookeeper/test-kit/ByteTap"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import type * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Session from "@effect-zookeeper/session/Session"
import { assert } from "@effect/vitest"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { certificates } from "../../../transport/test/support/certificates.ts"
import * as Servers from "../../../transport/test/support/servers.ts"
import { RETRY_SOON, awaitCondition } from "../support/faults.ts"
import { connect, failure, eventually } from "../support/clients.ts"
import { describeWithTls, makeRealServer, pair, type RealServer } from "../support/tls.ts"

class Fixture extends Context.Service<Fixture, RealServer>()("test/Tls") {
  static readonly layer = Layer.effect(Fixture, makeRealServer)
}

const x509Of = (zk: ZooKeeper.Service) =>
  Effect.map(zk.whoAmI, (identities) => identities.filter(({ scheme }) => scheme === "x509").map(({ id }) => id))

describeWithTls(Fixture.layer)("TLS on real servers", (it) => {
  const itOnServer = testWith(it.effect, Fixture)

  itOnServer(
    "options that cannot be used are refused at once by name, in both APIs, and nothing is dialled",
    function* ({ good, tls }) {
      const tap = yield* ByteTap.make(TestServer.targetOf(tls.connectString))
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
    }
  )

  itOnServer(
    "accepts a client with a certificate; whoAmI shows it, and x509 ACLs hold",
    function* ({ good, server, tls }) {
      const tap = yield* ByteTap.make(TestServer.targetOf(tls.connectString))
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
    }
  )

  itOnServer("knows the server by name and by address, and a name that the options give", function* ({ good, secure }) {
    for (const [host, servername] of [["localhost"], ["127.0.0.1"], ["127.0.0.1", "localhost"]] as const) {
      const zk = yield* connect({ servers: `${host}:${secure.port}`, tls: { ...good, servername } })
      assert.isTrue(yield* zk.exists("/"))
    }
  })

  itOnServer("takes the client's certificate from PKCS#12, and an encrypted key", function* ({ tls }) {
    const passphrase = Redacted.make("right")
    const pfx = Redacted.make(yield* tls.clientPfx("right"))
    const key = Redacted.make(yield* tls.encryptedClientKey("right"))
    for (const options of [{ pfx }, { cert: tls.client.cert, key }]) {
      const zk = yield* connect({ servers: tls.connectString, tls: { ca: tls.ca, passphrase, ...options } })
      assert.deepStrictEqual(yield* x509Of(zk), ["CN=zkclient"])
    }
  })

  itOnServer("accepts a server that is not on its authority's list of revoked ones", function* ({ good, tls }) {
    const zk = yield* connect({ servers: tls.connectString, tls: { ...good, crl: [yield* tls.crl("nothing")] } })
    assert.isTrue(yield* zk.exists("/"))
  })

  itOnServer(
    "reads certificates again for each connection: the session goes on with another identity",
    function* ({ tls }) {
      const folder = yield* TemporaryFolder.make("client-tls-")
      const file = (name: string) => Path.join(folder, name)
      const write = (shown: ZooKeeperServer.Tls["client"]) => {
        Fs.writeFileSync(file("client.pem"), shown.cert)
        Fs.writeFileSync(file("client.key"), shown.key)
      }
      Fs.writeFileSync(file("ca.pem"), tls.ca)
      write(tls.client)
      const tap = yield* ByteTap.make(TestServer.targetOf(tls.connectString))
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
    }
  )

  itOnServer("takes an Effect for the options, which cannot switch verification off", function* ({ good, secure }) {
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

  itOnServer("verifies whatever the environment and Node's flags say", function* ({ tls }) {
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

  itOnServer(
    "a scheme decides for one server; a list that mixes is refused unless allowPlaintext says otherwise",
    function* ({ good, server, tls }) {
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
    }
  )

  itOnServer("a session that began over TLS does not go on in plain text", function* ({ good, server, tls }) {
    const zk = yield* connect({ servers: tls.connectString, tls: good })
    for (const servers of [`tcp://${server.connectString}`, `${tls.connectString},tcp://${server.connectString}`]) {
      yield* failure(zk.updateServers(servers), "InvalidArgument")
    }
    assert.deepStrictEqual(yield* x509Of(zk), ["CN=zkclient"])
  })

  itOnServer(
    "an unverified server elsewhere gets no credentials, and plain text is warned of once",
    function* ({ good, tls }) {
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
      const elsewhere = `zk1.test:${tls.connectString.split(":").at(-1)}`
      const near = yield* start({ servers: tls.connectString, tls: { ...good, ...unverified } })
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
    }
  )
})
