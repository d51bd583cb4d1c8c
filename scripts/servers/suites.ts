/** The suites that run on every release, and how one of them is run. */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { capture } from "../steps.ts"

export interface Suite {
  readonly name: string
  readonly files: ReadonlyArray<string>
  /** A part of the titles of its tests: files may have tests of other servers. */
  readonly only?: string
  /** Whether it goes from the release to the newest one, so that both have to be there. */
  readonly isUpgrade?: boolean
}

export const suites: ReadonlyArray<Suite> = [
  { name: "conformance", files: ["packages/test-kit/test/conformance"], only: "a real ZooKeeper" },
  {
    name: "client",
    files: [
      "packages/client/test/operations",
      "packages/client/test/promise",
      "packages/client/test/aiozk",
      "packages/client/test/peers",
      "packages/client/test/client/Interceptor.test.ts",
      "packages/client/test/client/ZNode.test.ts",
      "packages/client/test/client/ZooKeeper.layers.test.ts"
    ]
  },
  {
    name: "session",
    files: [
      "packages/session/test/session/Session.realServer.test.ts",
      "packages/session/test/reconnect/ServerSearch.names.test.ts",
      "packages/session/test/connection/Connection.faults.test.ts",
      "packages/session/test/connection/Connection.cutEverywhere.test.ts"
    ]
  },
  { name: "recipes", files: ["packages/recipes/test"], only: "on real ZooKeeper" },
  { name: "config", files: ["packages/config/test"], only: "on real ZooKeeper" },
  { name: "cluster", files: ["packages/cluster/test"], only: "on real ZooKeeper" },
  {
    name: "storage",
    files: [
      "packages/storage/test/tree/DataDirectory.histories.test.ts",
      "packages/storage/test/tree/JavaTools.test.ts",
      "packages/storage/test/snapshot/Snapshot.write.test.ts",
      "packages/storage/test/backup/Backup.test.ts",
      "packages/storage/test/restore"
    ],
    only: "real"
  },
  { name: "TLS", files: ["packages/client/test/security/Tls"] },
  { name: "SASL", files: ["packages/session/test/auth/Sasl.test.ts"] },
  { name: "upgrade", files: ["packages/test-kit/test/scenarios/Ensemble.upgrade.test.ts"], isUpgrade: true }
]

export interface SuiteResult {
  readonly passed: number
  readonly failures: ReadonlyArray<string>
  /** How many of those that passed assert a typed refusal. */
  readonly refused: number
  /** The reasons of tests that cannot run on this release, with how many tests each has. */
  readonly gaps: ReadonlyMap<string, number>
}

const Report = Schema.fromJsonString(
  Schema.Struct({
    testResults: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        status: Schema.String,
        message: Schema.optionalKey(Schema.String),
        assertionResults: Schema.Array(
          Schema.Struct({
            fullName: Schema.String,
            status: Schema.String,
            failureMessages: Schema.optionalKey(Schema.Array(Schema.String))
          })
        )
      })
    )
  })
)

type Report = typeof Report.Type

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Where the releases of a run are. */
export interface Homes {
  readonly home: string
  /** The release that an upgrade leads to. */
  readonly newest?: string | undefined
}

/** Runs a suite on the release in `home`. A run that does not even begin is a failure. */
export const runSuite = (suite: Suite, homes: Homes): Effect.Effect<SuiteResult> =>
  Effect.gen(function* () {
    const file = Path.join(yield* TemporaryFolder.make("servers-"), "report.json")
    const printed = yield* runVitest(suite, homes, file)
    if (!Fs.existsSync(file)) return failed(lastLines(printed))
    return resultOf(yield* Effect.orDie(Schema.decodeEffect(Report)(Fs.readFileSync(file, "utf8"))))
  }).pipe(Effect.scoped)

/** The result of a suite that could not run. */
export const failed = (reason: string): SuiteResult => ({
  passed: 0,
  failures: [reason],
  refused: 0,
  gaps: new Map()
})

const runVitest = ({ files, only }: Suite, { home, newest }: Homes, outputFile: string): Effect.Effect<string> => {
  const args = [
    Path.join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    ...files,
    ...(only === undefined ? [] : ["-t", only]),
    "--reporter=json",
    `--outputFile.json=${outputFile}`
  ]
  const env = { ZOOKEEPER_HOME: home, ...(newest === undefined ? {} : { ZOOKEEPER_UPGRADE: newest }) }
  return Effect.map(capture(process.execPath, args, root, env), ({ printed }) => printed)
}

const resultOf = ({ testResults }: Report): SuiteResult => {
  const failures: Array<string> = []
  const gaps = new Map<string, number>()
  let passed = 0
  let refused = 0
  for (const { assertionResults, message, name, status } of testResults) {
    // A file that could not be loaded has failed, though it has no failed test.
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) {
      failures.push(`${Path.relative(root, name)}: ${lastLines(message ?? "it could not be loaded")}`)
    }
    for (const test of assertionResults) {
      if (test.status === "passed") {
        passed++
        if (/\(refused before [\d.]+\)$/.test(test.fullName)) refused++
      } else if (test.status === "failed") {
        // Without the stack, and with the lines of a server's log, which say why it does not run.
        const [message = ""] = (test.failureMessages?.[0] ?? "").split("\n    at ")
        const reason = message.replaceAll("\n", " ").slice(0, 2_000)
        failures.push(`${Path.relative(root, name)} > ${test.fullName}: ${reason}`)
      } else {
        const need = /\((needs ZooKeeper [\d.]+[^)]*)\)/.exec(test.fullName)?.[1]
        if (need !== undefined) gaps.set(need, (gaps.get(need) ?? 0) + 1)
      }
    }
  }
  if (passed === 0 && failures.length === 0 && gaps.size === 0) failures.push("no test was found")
  return { passed, failures, refused, gaps }
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-5).join(" ").slice(0, 500)
