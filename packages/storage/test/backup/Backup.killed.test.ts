/** Processes that make and restore backups are killed at random moments, and others go on with what they have left. */
import { ZooKeeper } from "@effect-zookeeper/client"
import { clientOf } from "@effect-zookeeper/test-kit/conformance/Target"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Backup, Restore, TreeSource } from "../../src/index.ts"
import { withFiles } from "../support/files.ts"
import { differences, growTree, lowerCounters } from "../support/liveTrees.ts"

const isLong = process.env["ZK_LONG"] === "1"

const rounds = Number(process.env["ZK_ROUNDS"] ?? 100)

/** The first seed: the rounds can be run in parts. */
const first = Number(process.env["ZK_SEED"] ?? 1)

/** Znodes of a tree. */
const SIZE = 1500

/**
 * The most steps before a worker is killed, about as many as it takes: a backup reads each znode, and a restore compares those
 * that are there, writes all, and raises numbers. Their number is the same on a machine of any speed.
 */
const STEPS = { backup: SIZE, restore: SIZE + 400 }

/** Starts a worker and kills it after so many steps; true if it was done before. */
const killedAfter = (
  steps: number,
  action: keyof typeof STEPS,
  ...args: ReadonlyArray<string>
): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const script = fileURLToPath(new URL("../support/killedWorker.ts", import.meta.url))
    const child = spawn(process.execPath, [script, action, ...args], { stdio: ["ignore", "pipe", "inherit"] })
    let lines = 0
    createInterface(child.stdout).on("line", (line) => {
      if (lines === 0 && line !== "begun") resume(Effect.die(new Error(`the worker said ${line}`)))
      if (lines++ >= steps) child.kill("SIGKILL")
    })
    child.once("exit", (code) => {
      // A process that was killed has no exit code.
      if (code === null || code === 0) resume(Effect.succeed(code === 0))
      else resume(Effect.die(new Error(`the worker has ended with ${code}: ${action} ${args.join(" ")}`)))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe.runIf(isLong)("backups whose processes are killed (in test:long only, for it takes half an hour)", () => {
  it.live(
    `lose nothing and invent nothing in ${rounds} seeded rounds, into an empty tree and into used ones`,
    () =>
      Effect.gen(function* () {
        const folder = yield* TemporaryFolder.make("killed-")
        const servers = TestServer.connectString()
        const zk = yield* clientOf(ZooKeeper.layer({ servers }))
        let killed = 0
        for (let seed = first; seed < first + rounds; seed++) {
          yield* Effect.gen(function* () {
            const root = TestServer.freshPath("killed")
            yield* zk.create(root)
            const source = `${root}/source`
            // Everything there is older than the source, so that the default rule overwrites it.
            const older = { path: `${root}/older`, rule: "older" } as const
            const newer = { path: `${root}/newer`, rule: "always" } as const
            const own = yield* growTree(zk, older.path, 50)
            yield* Effect.sleep("5 millis")
            const paths = yield* growTree(zk, source, SIZE)
            const file = `${folder}/${seed}.ndjson${seed % 2 === 0 ? ".gz" : ""}`
            const kill = Effect.fnUntraced(function* (action: keyof typeof STEPS, path: string, rule = "always") {
              const steps = yield* Random.nextIntBetween(0, STEPS[action])
              if (!(yield* killedAfter(steps, action, servers, path, file, rule))) killed++
            })

            // Twice, and the tree changes in between.
            for (let times = 0; times < 2 && !Fs.existsSync(file); times++) {
              yield* kill("backup", source)
              const changed = yield* Random.nextIntBetween(0, paths.length - 1)
              yield* zk.setData(paths[changed]!, `changed ${times}`)
              yield* growTree(zk, source, 20)
            }
            if (Fs.existsSync(file)) yield* Backup.make(zk, file, { path: source, overwrite: true })
            else yield* Backup.make(zk, file, { path: source })
            const backup = yield* TreeSource.backup(file)
            const live = TreeSource.live(zk, { path: source })
            assert.deepStrictEqual(yield* differences(backup, live, { counters: true }), [], `seed ${seed}`)

            const empty = `${root}/empty`
            for (let times = 0; times < 2; times++) yield* kill("restore", empty)
            yield* Restore.run(backup, zk, { path: empty })
            const restored = TreeSource.live(zk, { path: empty })
            assert.deepStrictEqual(yield* differences(backup, restored, { counters: true }), [], `seed ${seed}`)

            own.push(...(yield* growTree(zk, newer.path, 50)))
            for (const { path, rule } of [older, newer]) {
              for (let times = 0; times < 2; times++) yield* kill("restore", path, rule)
              const { Leave } = yield* Restore.run(backup, zk, { path, overwrite: rule })
              assert.strictEqual(Leave, 0, `seed ${seed}, ${rule}`)
              const after = TreeSource.live(zk, { path })
              assert.deepStrictEqual(yield* lowerCounters(backup, after), [], `seed ${seed}, ${rule}`)
              const left = yield* differences(backup, after)
              assert.isTrue(
                left.every(({ _tag }) => _tag === "OnlyRight"),
                `seed ${seed}, ${rule}: ${JSON.stringify(left)}`
              )
            }
            for (const path of own) assert.isTrue(yield* zk.exists(path), `seed ${seed}: ${path}`)
            yield* zk.deleteAll(root)
          }).pipe(Random.withSeed(`killed ${seed}`))
          if ((seed - first + 1) % 10 === 0)
            yield* Effect.log(`${seed - first + 1} rounds, ${killed} processes killed before they were done`)
        }
        assert.isAbove(killed, rounds)
      }).pipe(Effect.scoped, withFiles),
    rounds * 120_000
  )
})
