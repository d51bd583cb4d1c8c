/** The modules that a new process loads of the published packages. Their number, more than their size, is what a start costs. */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { promisify } from "node:util"
import { startHelper } from "../../../../scripts/bench/processes.ts"
import { installPublished } from "../../../../scripts/bench/published.ts"

/** Prints what is loaded by the import of the client, and then by the first answer, as two lines of JSON. */
const program = (address: string) => `
  import { registerHooks } from "node:module"
  let loaded = []
  registerHooks({
    load: (url, context, next) => {
      loaded.push(url)
      return next(url, context)
    }
  })
  const report = () => {
    console.log(JSON.stringify(loaded))
    loaded = []
  }
  const { PromiseClient } = await import("@effect-zookeeper/client")
  report()
  const zk = await PromiseClient.connect("${address}")
  await zk.get("/bench")
  await zk.close()
  report()
`

const loadedModules = Effect.gen(function* () {
  const folder = yield* TemporaryFolder.make("effect-zookeeper-start-")
  yield* Effect.promise(() => installPublished(folder))
  const stub = yield* Effect.acquireRelease(
    Effect.promise(() => startHelper("stub.ts")),
    (helper) => Effect.sync(helper.stop)
  )
  const file = Path.join(folder, "program.mjs")
  Fs.writeFileSync(file, program(`127.0.0.1:${stub.ports[0]}`))
  const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, [file], { timeout: 60_000 }))
  const [imported = [], answered = []] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ReadonlyArray<string>)
  return { imported, answered }
})

/** Our own, by package and file. */
const ours = (urls: ReadonlyArray<string>): ReadonlyArray<string> =>
  urls.flatMap((url) => /\/@effect-zookeeper\/(\w+\/dist\/.*)$/.exec(url)?.[1] ?? []).toSorted()

/** Those of Effect. */
const effects = (urls: ReadonlyArray<string>): ReadonlyArray<string> =>
  urls.flatMap((url) => /\/effect\/dist\/(.*)$/.exec(url)?.[1] ?? [])

describe("a process that uses the published packages", () => {
  itLive(
    "loads one file of each package, and what a connection needs with the first",
    { timeout: 120_000 },
    function* () {
      const { answered, imported } = yield* loadedModules
      assert.deepStrictEqual(
        ours(imported).filter((file) => file.includes("/internal/")),
        ["client", "protocol", "session", "transport"].map((name) => `${name}/dist/internal/all.js`)
      )
      // The others name what is in these files, and take half a millisecond each.
      assert.isAtMost(ours(imported).length, 42)
      assert.deepStrictEqual(
        imported.filter((url) => url.startsWith("node:")),
        []
      )
      assert.deepStrictEqual(
        ours(answered),
        ["connect.js", "resolve.js", "tls.js"].map((name) => `transport/dist/internal/${name}`)
      )

      // Configuration and what it brings.
      const few = ["Config.js", "FileSystem.js", "Path.js", "PlatformError.js"]
      assert.deepStrictEqual(
        effects(imported).filter((file) => few.includes(file)),
        []
      )
      assert.deepStrictEqual(effects(answered), [])
    }
  )
})
