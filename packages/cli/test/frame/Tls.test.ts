/** `zk` against the secure port of a real server, which demands a certificate. */
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { listening } from "../support/sockets.ts"
import { inFolder } from "../support/folder.ts"
import { run } from "../support/zk.ts"

/** A server that notes the first byte of each connection, and ends it. */
const listener = Effect.suspend(() => {
  const firstBytes: Array<number> = []
  const noting = listening((socket) =>
    socket.once("data", (data) => {
      firstBytes.push(data[0] ?? -1)
      socket.destroy()
    })
  )
  return Effect.map(noting, (server) => ({ server, firstBytes }))
})

describe("zk with TLS", () => {
  it.live("takes certificates from flags, the environment and a profile, and says in one line what is wrong", () =>
    Effect.gen(function* () {
      const { tls = assert.fail("no TLS") } = yield* ZooKeeperServer.make({ tls: true })
      const folder = yield* inFolder
      const write = (name: string, text: string) => {
        Fs.writeFileSync(Path.join(folder, name), text, { mode: 0o600 })
        return Path.join(folder, name)
      }
      const ca = write("ca.pem", tls.ca)
      const cert = write("me.pem", tls.client.cert)
      const key = write("me.key", tls.client.key)
      const servers = ["--servers", tls.connectString]
      const flags = [...servers, "--ca", ca, "--cert", cert, "--key", key]

      const byFlags = yield* run(["whoami", ...flags])
      assert.strictEqual(byFlags.code, 0, byFlags.err)
      assert.include(byFlags.out, "CN=zkclient")

      const env = { ZK_CA: ca, ZK_CERT: cert, ZK_KEY: key }
      assert.strictEqual((yield* run(["ls", ...servers], { env })).code, 0)

      const encrypted = write("locked.key", yield* tls.encryptedClientKey("hunter2"))
      const locked = { ...env, ZK_KEY: encrypted, ZK_KEY_PASSPHRASE: "hunter2" }
      assert.strictEqual((yield* run(["ls", ...servers], { env: locked })).code, 0)

      const profiles = write(
        "profiles.toml",
        `[prod]\nservers = "${tls.connectString}"\n[prod.tls]\nca = "ca.pem"\ncert = "me.pem"\nkey = "me.key"\n`
      )
      assert.strictEqual((yield* run(["ls", "-p", "prod", "--profiles", profiles])).code, 0)

      const missing = yield* run(["ls", ...servers, "--ca", "/no/such/ca.pem"])
      assert.strictEqual(missing.code, 2)
      assert.include(missing.err, "/no/such/ca.pem")

      const untrusted = yield* run(["ls", ...servers, "--cert", cert, "--key", key, "--timeout", "2s"])
      assert.strictEqual(untrusted.code, 5, untrusted.err)
      assert.strictEqual(untrusted.err.trimEnd().split("\n").length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("takes --tls for the servers of zk:// and of a profile without TLS, too", () =>
    Effect.gen(function* () {
      const { firstBytes, server } = yield* listener
      const folder = yield* inFolder
      const profiles = Path.join(folder, "profiles.toml")
      const table = (name: string) => `[${name}]\nservers = "${server}"\n`
      Fs.writeFileSync(profiles, `${table("plain")}${table("encrypted")}tls = true\n`)
      const greeting = (tree: string, ...args: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          firstBytes.length = 0
          const all = ["diff", tree, "/", "-s", "127.0.0.1:1", "--timeout", "1s", "--profiles", profiles]
          assert.strictEqual((yield* run([...all, ...args])).code, 5)
          return firstBytes[0] === 0x16 ? "TLS" : "plain"
        })
      const servers = `zk://${server}/`
      assert.strictEqual(yield* greeting(servers, "--tls"), "TLS")
      assert.strictEqual(yield* greeting("@plain/", "--tls"), "TLS")
      assert.strictEqual(yield* greeting("@plain/"), "plain")
      // The TLS of a profile belongs to its own servers.
      assert.strictEqual(yield* greeting(servers, "-p", "encrypted"), "plain")
    }).pipe(Effect.scoped)
  )
})
