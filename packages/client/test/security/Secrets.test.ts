/**
 * A whole life with secrets in it, every stage of it failing once, and a search of everything that comes out: log lines of
 * all levels in all formats, spans, metrics, standard output, every error with its causes and stack, and every object that
 * an application holds, as a debugger, a log or JSON show it.
 */
import { Acl, Op, PromiseClient, Sasl, ZooKeeper } from "@effect-zookeeper/client"
import * as ByteTap from "@effect-zookeeper/test-kit/ByteTap"
import * as SecretSearch from "@effect-zookeeper/test-kit/SecretSearch"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as TlsOptions from "@effect-zookeeper/transport/TlsOptions"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as Session from "@effect-zookeeper/session/Session"
import { assert, describe } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { eachAtOnce } from "@effect-zookeeper/test-kit/Expectations"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { RETRY_SOON } from "../support/faults.ts"
import { connect, eventually } from "../support/clients.ts"

const passphrase = "canaryPassphrase4711"
const wrongPassphrase = "canaryWrongPassphrase0815"
const digestPassword = "canaryDigestPassword2342"
const addedPassword = "canaryAddedPassword9931"
const unknownPassword = "canaryUnknownScheme5577"
const unredacted = "canaryUnredacted7788"
const wrongSasl = "canaryWrongSaslPassword3141"
const wrongSession = new TextEncoder().encode("canarySession161")
const data = "canaryNodeData2718281828"

// What `ZooKeeperServer` has for bob.
const saslPassword = "bobsecret"

const digest = (user: string, password: string) => ({
  scheme: "digest",
  credentials: Redacted.make(`${user}:${password}`)
})

describe("secrets", () => {
  const itWithTlsAndSasl = TestServer.since("3.6.0", itLive)

  itWithTlsAndSasl("are in no output of a client", { timeout: 60_000 }, function* () {
    // Left to itself the server knows no cipher of TLS 1.3.
    const config = ["ssl.protocol=TLSv1.3", "ssl.enabledProtocols=TLSv1.3", "ssl.ciphersuites=TLS_AES_256_GCM_SHA384"]
    const server = yield* ZooKeeperServer.make({ tls: true, sasl: true, config })
    const { tls = assert.fail("no TLS") } = server
    const key = yield* tls.encryptedClientKey(passphrase)
    const pfx = yield* tls.clientPfx(passphrase)
    const keyFile = Path.join(server.folder, "canary.key")
    Fs.writeFileSync(keyFile, key)
    const { add, failing, observed, outputs, spans } = yield* SecretSearch.collect
    const canaries: Array<SecretSearch.Canary> = [
      { name: "the passphrase", secret: passphrase },
      { name: "a wrong passphrase", secret: wrongPassphrase },
      { name: "the plain private key", secret: lineOf(tls.client.key) },
      { name: "the encrypted private key", secret: lineOf(key) },
      { name: "PKCS#12", secret: pfx.slice(200, 232) },
      { name: "the digest password", secret: digestPassword, hashedAs: [`ann:${digestPassword}`] },
      { name: "an added digest password", secret: addedPassword, hashedAs: [`eve:${addedPassword}`] },
      { name: "what an unknown scheme was given", secret: unknownPassword },
      { name: "what should have been Redacted", secret: unredacted },
      { name: "the SASL password", secret: saslPassword, hashedAs: [`bob:zk-sasl-md5:${saslPassword}`] },
      { name: "a wrong SASL password", secret: wrongSasl, hashedAs: [`bob:zk-sasl-md5:${wrongSasl}`] },
      { name: "a wrong session password", secret: wrongSession },
      { name: "data", secret: data }
    ]

    const tap = yield* ByteTap.make(TestServer.targetOf(tls.connectString))
    const secure = {
      ca: tls.ca,
      cert: tls.client.cert,
      key: Redacted.make(key),
      passphrase: Redacted.make(passphrase),
      minVersion: "TLSv1.3"
    } as const
    const options = {
      servers: tap.connectString,
      tls: secure,
      auth: [digest("ann", digestPassword)],
      sasl: Sasl.digestMd5({ username: "bob", password: Redacted.make(saslPassword) }),
      retry: RETRY_SOON
    } satisfies ZooKeeper.Options

    const starting = (change: Partial<ZooKeeper.Options>) =>
      Effect.scoped(connect({ ...options, connectTimeout: "3 seconds", ...change }))

    const life = Effect.gen(function* () {
      const zk = yield* connect(options)
      canaries.push({ name: "the session's password", secret: Redacted.value(zk.session.password) })
      add(
        ...SecretSearch.facesOf("the options", options),
        ...SecretSearch.facesOf("the client", zk),
        ...SecretSearch.facesOf("the session", zk.session)
      )

      yield* zk.create("/canary", { data, acl: Acl.creator })
      yield* zk.addAuth("digest", digest("eve", addedPassword).credentials)
      add(...SecretSearch.facesOf("identities", yield* zk.whoAmI))
      yield* zk.setData("/canary", data)
      yield* failing("BadVersion", zk.setData("/canary", data, { version: 7 }))
      yield* failing("NoNode", zk.setData("/nobody", data))
      const anybody = yield* connect({ servers: server.connectString })
      yield* failing("NoAuth", anybody.getData("/canary"))
      yield* failing("InvalidArgument", zk.create("/x\n/", { data }))
      yield* failing("FrameTooLarge", zk.setData("/canary", data.repeat(50_000)))
      yield* failing("a transaction", zk.transaction([Op.setData("/nobody", data)]))

      // Connections that break, and what is in flight then; everything is shown to the server again.
      const { id } = zk.session
      yield* tap.dropAll
      add(...SecretSearch.facesOf("a lost connection", yield* Effect.exit(zk.setData("/canary", data))))
      assert.strictEqual(yield* eventually(Effect.map(zk.get("/canary"), text), () => true), data)
      assert.strictEqual(zk.session.id, id)
      const password = zk.session.password
      yield* failing("a refused identity", zk.addAuth("nosuch", Redacted.make(unknownPassword)))
      yield* failing("a session that is over", zk.getData("/canary"))
      add(...SecretSearch.facesOf("the client after its end", zk), ...SecretSearch.facesOf("its session", zk.session))
      return { id, password }
    })
    const { id, password } = yield* observed(Effect.scoped(life))

    // Every way not to begin.
    const asText = unredacted as unknown as Redacted.Redacted<string>
    const asBytes = Buffer.from(unredacted) as unknown as Redacted.Redacted<Uint8Array>
    const bad = Redacted.make(wrongPassphrase)
    const stages: Readonly<Record<string, Partial<ZooKeeper.Options>>> = {
      "a wrong passphrase of a key": { tls: { ...secure, passphrase: bad } },
      "a wrong passphrase of PKCS#12": { tls: { ca: tls.ca, pfx: Redacted.make(pfx), passphrase: bad } },
      "an invalid key": { tls: { ...secure, key: Redacted.make(`${unredacted}\n${key.slice(40)}`) } },
      "a key of a file": {
        tls: TlsOptions.fromFiles({ ...files(server.folder), key: keyFile, passphrase: bad })
      },
      "an unknown authority": { tls: { ...secure, ca: undefined } },
      "a wrong host": { tls: { ...secure, servername: "zk9.test" } },
      "a wrong SASL password": { sasl: Sasl.digestMd5({ username: "bob", password: Redacted.make(wrongSasl) }) },
      "an unredacted SASL password": { sasl: Sasl.digestMd5({ username: "bob", password: asText }) },
      "unredacted credentials": { auth: [{ scheme: "digest", credentials: asText }] },
      "unredacted passphrase": { tls: { ...secure, passphrase: asText } },
      "unredacted key": { tls: { ...secure, key: asText } },
      "unredacted PKCS#12": { tls: { ca: tls.ca, pfx: asBytes } },
      "unredacted session password": { session: { id, password: asBytes } },
      "a list that mixes": { servers: `${tap.connectString},tcp://${server.connectString}` },
      "an unknown scheme": { auth: [{ scheme: "nosuch", credentials: Redacted.make(unknownPassword) }] },
      "a wrong session password": { session: { id, password: Redacted.make(wrongSession) }, sessionExpiry: "fail" },
      "no server there": { servers: "127.0.0.1:1", session: { id, password } }
    }
    yield* eachAtOnce(Object.entries(stages), ([stage, change]) => observed(failing(stage, starting(change))))

    // What applications hold beside that.
    add(
      ...SecretSearch.facesOf("the layer", ZooKeeper.layer(options)),
      ...SecretSearch.facesOf("the session's layer", Session.layer(options)),
      ...SecretSearch.facesOf("the transport's layer", Transport.layer({ tls: secure })),
      ...SecretSearch.facesOf(
        "the transport",
        yield* Effect.provide(Effect.service(Transport.Transport), Transport.layer({ tls: secure }))
      ),
      ...SecretSearch.facesOf(
        "the TLS options of files",
        TlsOptions.fromFiles({ ...files(server.folder), passphrase: bad })
      ),
      ...SecretSearch.facesOf("the SASL exchange", yield* options.sasl.begin({ host: "zk1", port: 2181 }))
    )
    const promised = yield* Effect.promise(() => PromiseClient.fromLayer(ZooKeeper.layer(options)))
    add(...SecretSearch.facesOf("the Promise client", promised))
    yield* Effect.promise(() => promised.close())
    const rejected = yield* Effect.promise(() =>
      PromiseClient.connect(tap.connectString, {
        ...options,
        sasl: Sasl.digestMd5({ username: "bob", password: Redacted.make(wrongSasl) })
      }).then(
        () => assert.fail("the password was wrong"),
        (error: unknown) => error
      )
    )
    add(...SecretSearch.facesOf("a rejection", rejected))
    add(...SecretSearch.facesOf("metrics", yield* Metric.snapshot), {
      place: "the dump of metrics",
      text: yield* Metric.dump
    })

    // It was said a lot, by everyone who could.
    const places = new Set(outputs.map(({ place }) => place))
    assert.isAbove(outputs.length, 300)
    assert.isAbove(spans(), 20)
    for (const place of ["a line of the json log", "the dump of metrics", "JSON of the options"])
      assert.include([...places], place)
    assert.deepStrictEqual([...new Set(SecretSearch.leaksIn(outputs, canaries))], [])

    // Bytes under TLS cannot be read on the way either.
    for (const bytes of yield* tap.sent) {
      const wire = { place: "the wire", text: Buffer.from(bytes).toString("latin1") }
      assert.deepStrictEqual(SecretSearch.leaksIn([wire], canaries), [])
    }

    // And the search finds what is there.
    for (const canary of canaries) SecretSearch.assertFound(canary)
  })
})

const text = ({ data }: { readonly data: Uint8Array }) => new TextDecoder().decode(data)

/** A line from the middle of a PEM. */
const lineOf = (pem: string): string => pem.split("\n")[1] ?? assert.fail("no PEM")

const files = (folder: string) => ({ ca: Path.join(folder, "ca.crt"), cert: Path.join(folder, "client.crt") })
