/** The file of a backup that is not complete belongs to one run at a time. */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { holdFile } from "../../src/internal/backup/holdFile.ts"

const inFolder = TemporaryFolder.make("zk-test-")

/** Operations on files that are under way. */
let underWay = 0

const during = <A, E, R>(operation: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => underWay++),
    () => operation,
    () => Effect.sync(() => underWay--)
  )

/** The files of this machine, with the number of operations that are under way. */
const files = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs): FileSystem.FileSystem => ({
    ...fs,
    // Until it is closed.
    open: (...args) =>
      Effect.acquireRelease(
        Effect.sync(() => underWay++),
        () => Effect.sync(() => underWay--)
      ).pipe(Effect.andThen(fs.open(...args))),
    readFileString: (...args) => during(fs.readFileString(...args)),
    stat: (...args) => during(fs.stat(...args)),
    remove: (...args) => during(fs.remove(...args)),
    utimes: (...args) => during(fs.utimes(...args))
  }))
).pipe(Layer.provide(NodeFileSystem.layer))

const inTest = <A, E>(test: (file: string) => Effect.Effect<A, E, Scope.Scope | FileSystem.FileSystem>) =>
  Effect.gen(function* () {
    const folder = yield* inFolder
    yield* test(Path.join(folder, "b.partial"))
    assert.deepStrictEqual(Fs.readdirSync(folder), [])
  }).pipe(Effect.scoped, Effect.provide(files))

/** A lock as another run has left it. */
const leave = (file: string, owner: { readonly process: number; readonly host: string }): void =>
  Fs.writeFileSync(`${file}.lock`, JSON.stringify({ ...owner, run: 1 }))

/** The number of a process that has ended. */
const dead = 4_194_304 + 1

const host = Os.hostname()

/** Runs something whose pauses take no time. Time stands still while files are used, for a disk may be busy. */
const quickly = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("500 millis")
      do yield* TestClock.withLive(Effect.sleep("2 millis"))
      while (underWay > 0)
    }
    return yield* Fiber.join(fiber)
  })

describe("the file of a backup", () => {
  it.effect("is held by one run at a time, and free after its end", () =>
    inTest((file) =>
      Effect.gen(function* () {
        const one = yield* Scope.make()
        yield* Scope.provide(holdFile(file), one)
        const refused = yield* quickly(Effect.flip(Effect.scoped(holdFile(file))))
        assert.include(refused.message, `the backup of process ${process.pid} on ${host} writes it`)
        yield* Scope.close(one, Exit.void)
        yield* Effect.scoped(holdFile(file))
      })
    )
  )

  it.effect("is not held by a process that has ended", () =>
    inTest((file) =>
      Effect.gen(function* () {
        leave(file, { process: dead, host })
        yield* Effect.scoped(holdFile(file))
      })
    )
  )

  it.effect("is not held by a run elsewhere that does not renew its lock, or has not written it", () =>
    inTest((file) =>
      Effect.gen(function* () {
        for (const text of [JSON.stringify({ process: 1, host: "elsewhere", run: 1 }), ""]) {
          Fs.writeFileSync(`${file}.lock`, text)
          const start = yield* Clock.currentTimeMillis
          yield* quickly(Effect.scoped(holdFile(file)))
          assert.isAtLeast((yield* Clock.currentTimeMillis) - start, 10_000)
        }
      })
    )
  )

  for (const left of ["a crash", "a crash, and another one of a run that was taking over"]) {
    it.effect(`is taken by one of many that begin after ${left}`, () =>
      inTest((file) =>
        Effect.gen(function* () {
          for (let round = 0; round < 20; round++) {
            leave(file, { process: dead, host })
            if (left !== "a crash") Fs.writeFileSync(`${file}.lock.1`, JSON.stringify({ process: dead, host, run: 2 }))
            let held = 0
            let most = 0
            const one = Effect.gen(function* () {
              yield* holdFile(file)
              held++
              most = Math.max(most, held)
              yield* Effect.sleep("20 seconds")
              held--
            }).pipe(Effect.scoped, Effect.exit)
            const exits = yield* quickly(
              Effect.all(
                Array.from({ length: 8 }, () => one),
                { concurrency: "unbounded" }
              )
            )
            assert.deepStrictEqual([most, exits.filter(Exit.isSuccess).length], [1, 1])
          }
        })
      )
    )
  }
})
