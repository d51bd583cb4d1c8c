/**
 * The server beside a real ZooKeeper 3.8.0 or 3.9.6: the same random programs, and every answer and event compared. The release
 * is that of the run: `ZOOKEEPER_HOME=... npx -y pnpm@12 test` with this file compares with the release in that folder.
 *
 * One operation at a time over all sessions, each followed by a ping on every session, so that all events are there
 * before the next one. Compared are errors, responses, zxids, Stats, events, and the ends of connections; not clocks,
 * session ids and passwords, the order of vectors that have none, and the order of the events of one transaction.
 *
 * Left out, for they break a real server or depend on its clock: a check outside of a multi, createTTL with other flags than
 * 5 and 6, the op codes 0, -10, 20 and unknown ones, null paths and vectors of less than -1 elements (which it answers
 * one way or another by accident), reaping and expiry.
 */
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { EmbeddedServer, layer, type ListenOptions, type Version } from "../../src/EmbeddedServer.ts"
import { RecordingClient } from "../support/differential.ts"
import { limitPrograms } from "../support/limits.ts"
import { Program, type Step } from "../support/programs.ts"
import { portOf } from "../support/rawClient.ts"

const SESSIONS = 3

const isLong = process.env["ZK_LONG"] === "1"

const versions = new Map<string, Version>([
  ["3.8.0", "3.8"],
  ["3.9.6", "3.9"]
])

/** Undefined on a release as which the embedded server does not answer. */
const version = versions.get(TestServer.release())

interface Settings {
  readonly real: ZooKeeperServer.ServerOptions
  readonly ours: ListenOptions
}

/** Runs random programs on both; fails with the program, up to the step at which they part. */
const compare = (
  name: string,
  options: { readonly seeds: number; readonly steps: number; readonly first: number },
  settings: Settings
) =>
  withBoth(name, settings, async (real, ours) => {
    assert.strictEqual(await runPrograms(real, ours, options), options.seeds * (options.steps + 1))
  })

const withBoth = (
  name: string,
  settings: Settings,
  run: (real: RecordingClient, ours: RecordingClient) => Promise<void>
) =>
  it.live.skipIf(version === undefined)(
    version === undefined ? `${name} (needs ZooKeeper ${[...versions.keys()].join(" or ")})` : name,
    () =>
      Effect.gen(function* () {
        const real = yield* ZooKeeperServer.make({
          tickTime: 2_000,
          maxSessionTimeout: 40_000,
          // Which znodes are collected, and when, is not compared.
          jvmFlags: ["-Dznode.container.checkIntervalMs=3600000"],
          ...settings.real
        })
        const ours = new RecordingClient(portOf((yield* EmbeddedServer).connectString))
        yield* Effect.promise(() => run(new RecordingClient(real.port), ours))
      }).pipe(Effect.provide(layer({ collectInterval: "1 day", version, ...settings.ours }))),
    isLong ? 900_000 : 300_000
  )

describe("the embedded server beside a real one", () => {
  const seeds = Number(process.env["ZK_SEEDS"] ?? (isLong ? 2_000 : 60))
  compare(
    `${seeds} programs of 100 operations over ${SESSIONS} sessions agree in every answer and event`,
    { seeds, steps: 100, first: 1 },
    { real: {}, ours: { reconfigEnabled: true } }
  )

  compare(
    "quotas are enforced alike",
    { seeds: 20, steps: 60, first: 5_000 },
    { real: { enforceQuota: true, config: ["reconfigEnabled=false"] }, ours: { enforceQuota: true } }
  )

  withBoth(
    "limits that cannot be parsed refuse what they would have to be compared with",
    { real: { enforceQuota: true, config: ["reconfigEnabled=false"] }, ours: { enforceQuota: true } },
    async (real, ours) => {
      assert.deepStrictEqual(await ours.open(0), await real.open(0))
      for (const step of limitPrograms().flat()) {
        const [expected, actual] = await Promise.all([real.run(step), ours.run(step)])
        assert.deepStrictEqual(actual, expected, describeStep(step))
      }
    }
  )

  compare(
    "TTL znodes are refused alike where they are switched off",
    { seeds: 5, steps: 60, first: 6_000 },
    { real: { config: ["extendedTypesEnabled=false"] }, ours: { extendedTypes: false, reconfigEnabled: true } }
  )
})

const runPrograms = async (
  real: RecordingClient,
  ours: RecordingClient,
  { first, seeds, steps }: { readonly seeds: number; readonly steps: number; readonly first: number }
): Promise<number> => {
  let count = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const program = new Program(seed, SESSIONS, version)
    for (let session = 0; session < SESSIONS; session++) {
      assert.deepStrictEqual(await ours.open(session), await real.open(session))
    }
    const trace: Array<string> = []
    for (let at = 0; at <= steps; at++) {
      const step = at === 0 ? program.begin() : program.next(real.zxid)
      trace.push(`${at}: ${describeStep(step)}`)
      const [expected, actual] = await Promise.all([real.run(step), ours.run(step)])
      // A message is made only where it is needed.
      assert.deepStrictEqual(
        actual,
        expected,
        `seed ${seed}, the last of these steps:\n${trace.slice(-30).join("\n")}\n`
      )
      count++
    }
    await Promise.all([real.end(), ours.end()])
  }
  return count
}

const describeStep = (step: Step): string =>
  step._tag === "Request"
    ? `session ${step.session}: ${step.text}`
    : `session ${step.session}: reconnects (${step.how}, timeout ${step.timeOut}, zxid ${step.lastZxidSeen})`
