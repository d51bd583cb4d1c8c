/** What zk shows of locks and a queue that processes with kazoo, go-zookeeper and Curator use at the same time. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"
import * as Output from "../../src/Output.ts"
import { describeOnServers } from "../support/zk.ts"

const isLong = process.env["ZK_LONG"] === "1"

const python = "/usr/bin/python3"
const goPath = "/usr/share/gocode"
/** The packages of Go, compiled. */
const goCache = fileURLToPath(new URL("../../../../node_modules/.cache/go", import.meta.url))
const jars = ["curator-recipes", "curator-framework", "curator-client", "zookeeper", "slf4j-nop"].map(
  (name) => `/usr/share/java/${name}.jar`
)

const here = (file: string): string => fileURLToPath(new URL(`support/${file}`, import.meta.url))
const works = (command: string, ...args: ReadonlyArray<string>): boolean =>
  isLong && ChildProcess.spawnSync(command, args).status === 0

const others = [
  {
    name: "kazoo",
    layout: "kazoo",
    command: [python, here("kazooHolder.py")],
    isThere: works(python, "-c", "import kazoo")
  },
  {
    name: "go-zookeeper",
    layout: "go",
    command: ["go", "run", here("holder.go")],
    isThere: works("go", "version") && Fs.existsSync(`${goPath}/src/github.com/samuel/go-zookeeper`)
  },
  {
    name: "Curator",
    layout: "curator",
    command: ["java", "-Xmx64m", "-cp", jars.join(":"), here("CuratorHolder.java")],
    isThere: works("javac", "-version") && Fs.existsSync(jars[0] ?? "")
  }
] as const

/** Starts a process, and gives the numbers of the sessions that it prints. */
const begin = ([command, ...args]: readonly [string, ...ReadonlyArray<string>], ...paths: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const env = { ...process.env, GO111MODULE: "off", GOPATH: goPath, GOFLAGS: "", GOCACHE: goCache }
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => ChildProcess.spawn(command, [...args, ...paths], { env, detached: true })),
      // The group: `go run` has a child.
      ({ pid }) => Effect.ignore(Effect.try(() => pid !== undefined && process.kill(-pid, "SIGKILL")))
    )
    return yield* Effect.callback<ReadonlyArray<bigint>, Error>((resume) => {
      let out = ""
      let err = ""
      child.stderr.on("data", (chunk) => (err += String(chunk)))
      child.once("close", () => resume(Effect.fail(new Error(`${command} has ended: ${err}`))))
      child.stdout.on("data", (chunk) => {
        out += String(chunk)
        if (out.endsWith("\n"))
          resume(
            Effect.succeed(
              out
                .trim()
                .split(" ")
                .map((hex) => BigInt(`0x${hex}`))
            )
          )
      })
    })
  })

const contention = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Contention))
const queue = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Queue))

describeOnServers("zk locks, beside other libraries", (it) => {
  for (const { command, isThere, layout, name } of others) {
    const why = isLong ? `needs ${name}` : "starts a process of another language, in test:long only"
    const title = `shows the holder and the one that waits, with ${name}${isThere ? "" : ` (${why})`}`
    it.inChroot(title, { skip: !isThere, timeout: 180_000 }, function* ({ chroot, run, servers, zk }) {
      yield* zk.create("/locks")
      const [holder, waiter] = yield* begin(command, servers, `${chroot}/locks/one`, `${chroot}/queue`)
      const { code, err, out } = yield* run(["locks", "/locks", "--ndjson"])
      assert.deepStrictEqual([code, err], [0, ""])
      const { contenders, path, recipe } = contention(out)
      assert.deepStrictEqual([path, recipe], ["/locks/one", "lock"])
      assert.deepStrictEqual(
        contenders.map(({ layout, session, state }) => ({ layout, session, state })),
        [
          { layout, session: holder, state: "holds" },
          { layout, session: waiter, state: "waits" }
        ]
      )
      if (name !== "kazoo") return
      assert.deepStrictEqual(
        contenders.map(({ identifier }) => identifier),
        ["holder", "waiter"]
      )
      const items = queue((yield* run(["queue", "/queue", "--json"])).out)
      assert.deepInclude(items, { layout: "kazooLocking", items: 2, taken: 1 })
      assert.deepInclude(items.entries[0], { data: "first", state: "taken", session: holder ?? 0n })
      assert.deepInclude(items.entries[1], { data: "second", state: "waits", priority: 200 })
    })
  }
})
