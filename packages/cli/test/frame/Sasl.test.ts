/** `zk` against a real server that demands SASL. */
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inFolder } from "../support/folder.ts"
import { run } from "../support/zk.ts"

describe("zk with SASL", () => {
  it.live("takes its user from the credentials, and shows the password in no error", () =>
    Effect.gen(function* () {
      const { connectString } = yield* ZooKeeperServer.make({ sasl: "required" })
      const servers = ["--servers", connectString]
      const bob = { ZK_AUTH: "sasl:bob:bobsecret" }

      const byVariable = yield* run(["whoami", ...servers], { env: bob })
      assert.strictEqual(byVariable.code, 0, byVariable.err)
      assert.match(byVariable.out, /^sasl +bob$/m)
      const health = yield* run(["health", ...servers], { env: bob })
      assert.strictEqual(health.code, 0, health.err)

      const folder = yield* inFolder
      const write = (name: string, text: string) => {
        Fs.writeFileSync(Path.join(folder, name), text, { mode: 0o600 })
        return Path.join(folder, name)
      }
      write("prod.auth", "# of the team\nsasl:bob:bobsecret\ndigest:ann:secret\n")
      const profiles = write("profiles.toml", `[prod]\nservers = "${connectString}"\nauthFile = "prod.auth"\n`)
      const byProfile = yield* run(["whoami", "-p", "prod", "--profiles", profiles])
      assert.strictEqual(byProfile.code, 0, byProfile.err)
      assert.match(byProfile.out, /^sasl +bob$/m)
      assert.match(byProfile.out, /^digest +ann$/m)

      assert.strictEqual((yield* run(["ls", ...servers])).code, 6)
      // An operator without credentials sees what the members tell.
      const doctor = yield* run(["doctor", ...servers])
      assert.strictEqual(doctor.code, 6, doctor.err)
      assert.match(doctor.out, /^error {4}\/: the tree could not be looked through: /m)
      assert.match(doctor.out, /^(warning|note) +(?!\/)\S+: /m)
      const wrong = yield* run(["ls", ...servers], { env: { ZK_AUTH: "sasl:bob:hunter2" } })
      assert.strictEqual(wrong.code, 6, wrong.err)
      assert.notInclude(wrong.err, "hunter2")
    }).pipe(Effect.scoped)
  )

  it.live("names the line of a user that is not one, and not its text", () =>
    Effect.gen(function* () {
      const mistake = (text: string) =>
        Effect.map(run(["ls", "-s", "127.0.0.1:1"], { env: { ZK_AUTH: text } }), ({ code, err }) => `${code} ${err}`)
      assert.strictEqual(yield* mistake("sasl:hunter2"), "2 zk: line 1 of ZK_AUTH is not sasl:user:password\n")
      assert.strictEqual(
        yield* mistake("sasl:a:hunter2\nsasl:b:hunter3"),
        "2 zk: line 2 of ZK_AUTH has a second user of sasl: a connection has one\n"
      )
    })
  )
})
